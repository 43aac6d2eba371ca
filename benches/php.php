<?php

/**
 * What Keepalive::enable() costs beside socket_import_stream() and four socket_set_option(), PHP's
 * own way. Prints lines as benches/abi.rs does: php.php LABEL
 *
 * In a turn, each contender goes through all streams once; the turns alternate.
 */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;

require dirname(__DIR__) . '/php/autoload.php';

const CALLS = 20000;

/** @param array<string, callable(resource|\Socket): void> $contenders */
function compare(string $group, array $sockets, array $contenders): void
{
    $times = [];
    for ($turn = 0; $turn < max(5, intdiv(CALLS, count($sockets))); $turn++) {
        foreach ($contenders as $name => $call) {
            $start = hrtime(true);
            foreach ($sockets as $socket) {
                $call($socket);
            }
            $times[$name][] = intdiv(hrtime(true) - $start, count($sockets));
        }
    }
    foreach ($times as $name => $each) {
        sort($each);
        echo "$group\t$name\t$each[0]\t{$each[intdiv(count($each), 2)]}\n";
    }
}

/** @param \Socket $socket */
function setAllFive($socket): void
{
    socket_set_option($socket, SOL_TCP, TCP_USER_TIMEOUT, 13000);
    socket_set_option($socket, SOL_TCP, TCP_KEEPINTVL, 2);
    socket_set_option($socket, SOL_TCP, TCP_KEEPCNT, 5);
    socket_set_option($socket, SOL_TCP, TCP_KEEPIDLE, 3);
    socket_set_option($socket, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/** @param \Socket $socket */
function setPlainly($socket): void
{
    socket_set_option($socket, SOL_TCP, TCP_KEEPINTVL, 10);
    socket_set_option($socket, SOL_TCP, TCP_KEEPCNT, 6);
    socket_set_option($socket, SOL_TCP, TCP_KEEPIDLE, 60);
    socket_set_option($socket, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/**
 * Connections that the kernel keeps in the listeners' queues, so that they take one descriptor each.
 *
 * @return resource[]
 */
function connections(int $count): array
{
    static $listeners = [];
    $context = stream_context_create(['socket' => ['backlog' => 4096]]);
    $streams = [];
    for ($i = 0; $i < $count; $i++) {
        if ($i % 2000 === 0) {
            $listener = stream_socket_server('tcp://127.0.0.1:0', $code, $text, STREAM_SERVER_BIND | STREAM_SERVER_LISTEN, $context);
            $listeners[] = $listener;
            $address = 'tcp://' . stream_socket_get_name($listener, false);
        }
        $streams[] = stream_socket_client($address);
    }
    return $streams;
}

/** @return resource an established TLS connection to a child process, which ends when the connection does */
function tlsConnection()
{
    $key = openssl_pkey_new(['private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => 'prime256v1']);
    $certificate = openssl_csr_sign(openssl_csr_new(['commonName' => 'localhost'], $key), null, $key, 1);
    openssl_x509_export($certificate, $pem);
    openssl_pkey_export($key, $private);
    $file = tempnam(sys_get_temp_dir(), 'keepalive-bench');
    file_put_contents($file, $pem . $private);
    $server = stream_socket_server('tcp://127.0.0.1:0');
    if (pcntl_fork() === 0) {
        $peer = stream_socket_accept($server);
        stream_context_set_option($peer, 'ssl', 'local_cert', $file);
        stream_socket_enable_crypto($peer, true, STREAM_CRYPTO_METHOD_TLS_SERVER);
        fread($peer, 1);
        posix_kill(getmypid(), SIGKILL); // without the shutdown functions of the parent
    }
    $context = stream_context_create(['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]]);
    $address = 'tls://' . stream_socket_get_name($server, false);
    $stream = stream_socket_client($address, $code, $text, 5, STREAM_CLIENT_CONNECT, $context);
    unlink($file);
    return $stream;
}

$label = $argv[1];
$settings = Settings::detectWithin(30);
$promise = [
    'import, five socket_set_option' => static function ($stream): void {
        setAllFive(socket_import_stream($stream));
    },
    'Keepalive::apply()' => static function ($stream) use ($settings): void {
        Keepalive::apply($stream, $settings);
    },
];
$asOne = [
    'import, four socket_set_option' => static function ($stream): void {
        setPlainly(socket_import_stream($stream));
    },
    'Keepalive::enable()' => static function ($stream): void {
        Keepalive::enable($stream, 60, 10, 6);
    },
];
Keepalive::enable(connections(1)[0]);

foreach ([10, 1000, 10000] as $open) {
    $streams = connections($open);
    compare("PHP$label, the promise on a stream, $open open", $streams, $promise);
    compare("PHP$label, stream, $open open", $streams, $asOne);
    unset($streams);
}
if ($label === '') {
    $reading = connections(10);
    compare('PHP, parts of enable()', $reading, [
        'fstat()' => static function ($stream): void {
            fstat($stream);
        },
        'Values::check()' => static function ($stream): void {
            \Keepalive\Internal\Values::check(60, 10, 6, null);
        },
        'Keepalive::enable()' => $asOne['Keepalive::enable()'],
    ]);
    compare('PHP, TLS stream', array_fill(0, 10, tlsConnection()), [
        'Keepalive::enable()' => $asOne['Keepalive::enable()'],
    ]);
    $sockets = [];
    for ($i = 0; $i < 10; $i++) {
        $sockets[] = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
    }
    compare('PHP, Socket', $sockets, [
        'four socket_set_option' => 'setPlainly',
        'Keepalive::enable()' => $asOne['Keepalive::enable()'],
    ]);
    compare('PHP, read back', $reading, [
        'import, four socket_get_option' => static function ($stream): void {
            $socket = socket_import_stream($stream);
            socket_get_option($socket, SOL_SOCKET, SO_KEEPALIVE);
            socket_get_option($socket, SOL_TCP, TCP_KEEPIDLE);
            socket_get_option($socket, SOL_TCP, TCP_KEEPINTVL);
            socket_get_option($socket, SOL_TCP, TCP_KEEPCNT);
        },
        'Keepalive::settings()' => static function ($stream): void {
            Keepalive::settings($stream);
        },
    ]);
}
