<?php

/**
 * The far host's program: far.php serve tcp, far.php serve tls CERTIFICATE, far.php connect ADDRESS
 *
 * It greets with "hello", and reads one line with a command: "close" orderly, "reset", or "stall",
 * that is, stop reading. Everything else is read and forgotten. `serve` prints its port first.
 */

declare(strict_types=1);

[, $role, $what] = $argv;
$fail = static function (string $error): void {
    fwrite(STDERR, "far.php: $error\n");
    exit(1);
};

if ($role === 'connect') {
    $peer = stream_socket_client("tcp://$what", $errno, $error, 10) ?: $fail($error);
    echo "connected\n";
} else {
    $listener = stream_socket_server('tcp://[::]:0', $errno, $error) ?: $fail($error);
    echo substr(strrchr(stream_socket_get_name($listener, false), ':'), 1), "\n";
    $peer = stream_socket_accept($listener, 60) ?: $fail('nobody connected');
}
$socket = socket_import_stream($peer); // now, because after TLS has begun PHP does not give it
if ($what === 'tls') {
    stream_context_set_option($peer, 'ssl', 'local_cert', $argv[3]);
    stream_socket_enable_crypto($peer, true, STREAM_CRYPTO_METHOD_TLS_SERVER) || $fail('no TLS handshake');
}

fwrite($peer, "hello\n");
stream_set_timeout($peer, 100000);
while (($line = fgets($peer)) !== false && trim($line) !== 'stall') {
    if ($line === "close\n") {
        fclose($peer);
        break;
    }
    if ($line === "reset\n") {
        // The kernel's close after "linger for no time" is a reset; TLS cannot send its own end.
        socket_set_option($socket, SOL_SOCKET, SO_LINGER, ['l_onoff' => 1, 'l_linger' => 0]);
        posix_kill(getmypid(), SIGKILL);
    }
}
sleep(100000);
