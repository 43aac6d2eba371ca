<?php

/**
 * What the package costs a PHP-FPM worker, with and without preloading: the time of a request's calls beside PHP's
 * own way, and the memory after 100 and after 10,000 requests. Prints the rows of a table in docs/benchmarks.md.
 */

declare(strict_types=1);

use Keepalive\Tests\Support\Folder;
use Keepalive\Tests\Support\WebServer;

require __DIR__ . '/../php/tests/bootstrap.php';

const REQUESTS_TIMED = 501;
const REQUESTS = 10000;

/** Opens a socket; prints the microseconds of the request's first and second call, and the backend. */
const TIMED = <<<'PHP'
    $socket = stream_socket_server('tcp://127.0.0.1:0');
    $times = [hrtime(true)];
    Keepalive\Keepalive::enable($socket);
    $times[] = hrtime(true);
    Keepalive\Keepalive::enable($socket);
    $times[] = hrtime(true);
    echo json_encode([($times[1] - $times[0]) / 1e3, ($times[2] - $times[1]) / 1e3, Keepalive\Keepalive::backend()]);
    PHP;

/** The same with PHP's own functions. */
const BARE = <<<'PHP'
    $socket = stream_socket_server('tcp://127.0.0.1:0');
    $times = [hrtime(true)];
    foreach ([0, 1] as $again) {
        $import = socket_import_stream($socket);
        socket_set_option($import, SOL_TCP, TCP_KEEPINTVL, 10);
        socket_set_option($import, SOL_TCP, TCP_KEEPCNT, 6);
        socket_set_option($import, SOL_TCP, TCP_KEEPIDLE, 60);
        socket_set_option($import, SOL_SOCKET, SO_KEEPALIVE, 1);
        $times[] = hrtime(true);
    }
    echo json_encode([($times[1] - $times[0]) / 1e3, ($times[2] - $times[1]) / 1e3, 'none']);
    PHP;

const COUNTED = <<<'PHP'
    $socket = stream_socket_server('tcp://127.0.0.1:0');
    Keepalive\Keepalive::enable($socket);
    echo getmypid();
    PHP;

/** Prints the files that a request compiles, because OPcache does not have them. */
const NOT_CACHED = <<<'PHP'
    Keepalive\Keepalive::enable(stream_socket_server('tcp://127.0.0.1:0'));
    echo implode(' ', array_filter(get_included_files(), function (string $file) {
        return !opcache_is_script_cached($file);
    }));
    PHP;

/** @return array{float, float, string} medians, microseconds, and the backend */
function timed(WebServer $server, string $code): array
{
    $first = $second = [];
    $backend = '';
    for ($i = 0; $i < REQUESTS_TIMED; $i++) {
        [$first[], $second[], $backend] = json_decode($server->runAgain($code), true);
    }
    sort($first);
    sort($second);
    return [$first[intdiv(REQUESTS_TIMED, 2)], $second[intdiv(REQUESTS_TIMED, 2)], $backend];
}

foreach (['preloaded' => true, 'not preloaded' => false, 'not preloaded, ffi.enable=1' => null] as $name => $preload) {
    $folder = Folder::create();
    // OPcache does not cache files that are younger than this; the times would include their compilation.
    $ini = ['opcache.file_update_protection' => '0'];
    $ini += $preload ? ['opcache.preload' => "$folder/package/php/preload.php"] : [];
    $ini += $preload === null ? ['ffi.enable' => '1'] : [];
    $server = new WebServer(WebServer::FPM, $folder, $ini, true);
    try {
        $server->runAgain(NOT_CACHED); // fills the cache
        $notCached = $server->runAgain(NOT_CACHED);
        if ($notCached !== '') {
            throw new RuntimeException("OPcache does not have: $notCached");
        }
        [$bareFirst, $bareSecond] = timed($server, BARE);
        [$first, $second, $backend] = timed($server, TIMED);
        $worker = $server->runMany(COUNTED, 100);
        $early = WebServer::memory($worker);
        $server->runMany(COUNTED, REQUESTS - 100);
        printf(
            "%s, %s\t%.0f us\t%.2f\t%.1f us\t%.2f\t%s KiB\t%s KiB\n",
            $name,
            $backend,
            $first,
            $first / $bareFirst,
            $second,
            $second / $bareSecond,
            number_format($early),
            number_format(WebServer::memory($worker))
        );
    } finally {
        $server->stop();
        Folder::remove($folder);
    }
}
