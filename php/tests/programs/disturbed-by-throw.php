<?php

/** A signal handler looks at all that a call changes; with an argument it throws, too. */

declare(strict_types=1);

use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/disturbed.php';

$throws = $argc > 1;
$application = static function (): bool {
    return false;
};
set_error_handler($application);
$settings = [Settings::of(60, 10, 6, 60000), Settings::of(30, 5, 3, 30000)];
$isWhole = static function () use ($stream, $settings, $application): bool {
    $handler = set_error_handler(null);
    restore_error_handler();
    return $handler === $application && in_array(Keepalive::settings($stream), $settings);
};
Keepalive::apply($stream, $settings[0]);
$runs = $broken = 0;
$inside = false;
pcntl_signal(SIGUSR1, static function () use (&$runs, &$broken, &$inside, $isWhole, $throws): void {
    if ($inside) {
        $inside = false;
        $runs++;
        $broken += (int) !$isWhole();
        if ($throws) {
            throw new LogicException('from the signal handler');
        }
    }
});
$start = microtime(true);
for ($i = 0; isTooEarly($start, $runs); $i++) {
    try {
        $inside = true;
        Keepalive::apply($stream, $settings[$i % 2]);
        if (!$throws) {
            Keepalive::enable(STDERR);
        }
        $inside = false; // in here: a handler could throw on the way out
    } catch (LogicException $interruption) {
    } catch (SocketException $refused) {
        $inside = false;
    }
    $broken += (int) !$isWhole();
}
posix_kill($disturber, SIGKILL);
echo $runs > 100 ? 'interrupted' : "interrupted $runs times only", ", broken $broken";
