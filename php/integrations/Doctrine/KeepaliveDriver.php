<?php

declare(strict_types=1);

namespace Keepalive\Integration\Doctrine;

use Doctrine\DBAL\Driver;
use Doctrine\DBAL\Driver\Middleware\AbstractDriverMiddleware;
use Keepalive\Exception\KeepaliveException;
use Keepalive\Keepalive;
use Keepalive\OpenSocket;
use Keepalive\Settings;
use Psr\Log\LoggerInterface;

/**
 * Sets the connections that the driver's connect() has opened: the TCP connections that exist afterwards and did not
 * before. So it needs no address, and it does not matter whether host, port, a URL or a unix socket was configured.
 *
 * A connection without keepalive is better than no connection: a problem is logged, and connect() goes on.
 *
 * @internal KeepaliveMiddleware makes these.
 */
final class KeepaliveDriver extends AbstractDriverMiddleware
{
    private Settings $settings;
    private ?LoggerInterface $logger;

    public function __construct(Driver $driver, Settings $settings, ?LoggerInterface $logger)
    {
        parent::__construct($driver);
        $this->settings = $settings;
        $this->logger = $logger;
    }

    /** @param array<string, mixed> $params */
    public function connect(
        #[\SensitiveParameter]
        array $params
    ): Driver\Connection {
        $before = $this->sockets();
        $connection = parent::connect($params);
        if ($before !== null) {
            $this->enable(array_udiff($this->sockets() ?? [], $before, static function (OpenSocket $one, OpenSocket $other): int {
                return [$one->local(), $one->remote()] <=> [$other->local(), $other->remote()];
            }));
        }
        return $connection;
    }

    /** @return OpenSocket[]|null null: the sockets cannot be listed */
    private function sockets(): ?array
    {
        try {
            return Keepalive::sockets();
        } catch (KeepaliveException $exception) {
            $this->log($exception);
            return null;
        }
    }

    /** @param OpenSocket[] $sockets */
    private function enable(array $sockets): void
    {
        foreach ($sockets as $socket) {
            try {
                Keepalive::apply($socket, $this->settings);
            } catch (KeepaliveException $exception) {
                $this->log($exception);
            }
        }
    }

    private function log(KeepaliveException $exception): void
    {
        $message = "Keepalive was not enabled on a database connection: {$exception->getMessage()}";
        if ($this->logger === null) {
            error_log($message);
        } else {
            $this->logger->warning($message, ['exception' => $exception]);
        }
    }
}
