<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\{KeepaliveException, SocketException};
use Keepalive\Settings;

/** Keepalive::enableConnectionsTo() and tryToEnableConnectionsTo(): the connections that this process has. */
final class Connections
{
    /** States of a connection that keepalive can serve, now or once it is established. */
    private const CONNECTED = ['ESTABLISHED', 'SYN_SENT', 'SYN_RECV'];

    /** @var array<string, string> the last problem with each address, until it succeeds */
    private static array $reported = [];

    public static function enable(Backend $backend, string $address, Settings $settings): int
    {
        [$wanted, $sockets] = [Address::of($address), $backend->sockets()];
        $wanted = $wanted->lookedUp(); // last: without FFI sockets() has thrown, and no name server need be asked
        $count = 0;
        $refusal = null;
        foreach ($sockets as $socket) {
            if (!in_array($socket->state(), self::CONNECTED, true) || !$wanted->matches($socket->remote())) {
                continue;
            }
            try {
                if (!self::has($backend->settings($socket), $settings, $backend)) {
                    $backend->apply($socket, $settings);
                }
                $count++;
            } catch (SocketException $exception) {
                // PHP compares objects of a class by their values: the same descriptor, state and addresses.
                $refusal = $refusal ?? (in_array($socket, $backend->sockets()) ? $exception : null);
            }
        }
        if ($refusal !== null) {
            throw $refusal;
        }
        return $count;
    }

    /** Setting the idle time while probes are unanswered sends one more, which counts. What has the values is left. */
    private static function has(Settings $current, Settings $wanted, Backend $backend): bool
    {
        $values = $current->options();
        foreach ($wanted->options() as $option => $value) {
            if ($value === Values::SYSTEM_DEFAULT && strpos($option, 'TCP_KEEP') === 0) {
                $value = $backend->defaults()->options()[$option];
            }
            if (($values[$option] ?? null) !== $value) {
                return false;
            }
        }
        return true;
    }

    /** Once while the problem stays the same. @param KeepaliveException|null $problem null: it has succeeded */
    public static function report(string $address, ?KeepaliveException $problem, ?callable $report): void
    {
        if ($problem === null) {
            unset(self::$reported[$address]); // a program may name another address each time
        } elseif ($problem->getMessage() !== (self::$reported[$address] ?? null)) {
            self::$reported[$address] = $problem->getMessage();
            $message = "Keepalive was not enabled on the connections to $address: {$problem->getMessage()}";
            if ($report !== null) {
                $report($message, ['exception' => $problem]);
            } elseif (function_exists('error_log')) { // some hosting providers disable it
                error_log($message);
            }
        }
    }
}
