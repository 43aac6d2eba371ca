<?php

/** In a web server: tries to steer the preloaded package by functions of the same names. */

declare(strict_types=1);

use Keepalive\Internal\FfiBackend;
use Keepalive\Internal\Library;
use Keepalive\Keepalive;

$functions = ['stat', 'is_file', 'realpath', 'dirname', 'fileowner', 'in_array', 'strpos', 'getenv', 'php_uname',
    'ini_get', 'extension_loaded', 'strtolower', 'sprintf', 'fstat', 'is_resource', 'is_int', 'set_error_handler',
    'restore_error_handler'];
$shadows = 'namespace Keepalive\Internal;';
foreach ($functions as $function) {
    $shadows .= "function $function() { \$GLOBALS['called'][] = '$function'; return \\$function(...func_get_args()); }";
}
$GLOBALS['called'] = [];
file_put_contents($file = tempnam(sys_get_temp_dir(), 'keepalive-shadows-'), "<?php $shadows");
require $file;
unlink($file);
define('Keepalive\Internal\PHP_SAPI', 'cli');
define('Keepalive\Internal\PHP_OS_FAMILY', 'Darwin');
Keepalive::enable(stream_socket_server('tcp://127.0.0.1:0'));
$loaders = [];
foreach ([Library::class, FfiBackend::class] as $class) {
    foreach ((new ReflectionClass($class))->getMethods() as $method) {
        $start = $method->getStartLine();
        $body = implode(array_slice(file($method->getFileName()), $start, $method->getEndLine() - $start));
        if (preg_match('/FFI::cdef\(.*, *\$/', $body) === 1) {
            $loaders[$method->class . '::' . $method->name] = $method->getNumberOfParameters();
        }
    }
}
echo json_encode([Keepalive::backend(), $GLOBALS['called'], $loaders]);
