<?php

/**
 * An application in a web server that looks for the FFI object in all places where PHP shows objects, except reflection; for
 * WebServerTest, which has it run after the package's autoloader. Says in JSON the backend, how often it looked,
 * where it found one, and whose frames it saw.
 */

use Keepalive\CommandLine\Doctor;
use Keepalive\Internal\FfiBackend;
use Keepalive\Keepalive;

final class Eye
{
    public static array $leaks = [];
    public static int $looks = 0;
    public static array $frames = [];

    /** An application's code, called from within the package, looks around. */
    public static function blink(string $where): void
    {
        $frames = debug_backtrace(DEBUG_BACKTRACE_PROVIDE_OBJECT);
        self::$frames = array_unique(array_merge(self::$frames, array_column($frames, 'class')));
        self::look($frames, $where, 0);
    }

    public static function look($value, string $where, int $depth): void
    {
        self::$looks++;
        if ($value instanceof FFI || $value instanceof FFI\CData) {
            self::$leaks[] = $where;
        } elseif ($depth < 12 && (is_object($value) || is_array($value))) {
            foreach ((array) $value as $name => $part) {
                self::look($part, "$where/" . str_replace("\0", ':', (string) $name), $depth + 1);
            }
        }
    }

    /** As a stream wrapper. */
    public $context;

    public function url_stat(string $path, int $flags)
    {
        self::blink('url_stat');
        return false;
    }

    public function stream_open()
    {
        self::blink('stream_open');
        return true;
    }

    public function stream_stat()
    {
        self::blink('stream_stat');
        return [];
    }
}

set_error_handler(function () {
    Eye::blink('error handler');
    return true;
});
spl_autoload_register(function () {
    Eye::blink('autoloader');
}, true, true);

stream_wrapper_unregister('file');
stream_wrapper_register('file', Eye::class);
try {
    new FfiBackend();
} catch (Throwable $e) {
    Eye::look([$e, $e->getTrace()], 'no library', 0);
}
stream_wrapper_restore('file');
$backend = Keepalive::backend();

stream_wrapper_register('eye', Eye::class);
$tcp = stream_socket_server('tcp://127.0.0.1:0');
$udp = stream_socket_server('udp://127.0.0.1:0', $n, $m, STREAM_SERVER_BIND);
$closed = fopen('php://memory', 'r');
fclose($closed);
foreach ([fopen('eye://x', 'r'), fopen('php://memory', 'r'), $udp, $closed, $tcp, null, new Eye(), -1, 1 << 40, 'x'] as $socket) {
    foreach (['enable', 'settings', 'status', 'disable'] as $method) {
        try {
            Eye::look(Keepalive::$method($socket), $method, 0);
        } catch (Throwable $e) {
            Eye::look([$e, $e->getTrace(), $e->getPrevious()], $method, 0);
        }
    }
}
Eye::look([Keepalive::defaults(), Keepalive::sockets(), Doctor::report()], 'results', 0);

$own = new FfiBackend();
ob_start(function (string $said) {
    Eye::$frames[] = $said;
    return '';
});
var_dump($own);
print_r($own);
ob_end_flush();
Eye::look([$own, clone $own, get_object_vars($own), get_class_vars(FfiBackend::class)], 'backend', 0);
try {
    Eye::look(unserialize(serialize($own)), 'unserialized', 0);
} catch (Exception $e) {
    Eye::$leaks[] = $e->getMessage();
}
Eye::look($GLOBALS, 'globals', 0);
echo json_encode([$backend, Eye::$looks, Eye::$leaks, Eye::$frames]);
