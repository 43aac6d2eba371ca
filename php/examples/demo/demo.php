<?php

/**
 * The demo of `make demo`: keepalive on a TCP and on a TLS connection, as the kernel reports it, and
 * what it is for: a host that is lost.
 *
 *     php demo.php
 *
 * All connections stay on this machine; the TLS server is `openssl s_server`. It needs the programs
 * ss and openssl (Debian: iproute2, openssl), and those of lab/hosts.
 */

declare(strict_types=1);

use Keepalive\CommandLine\Doctor;
use Keepalive\CommandLine\Duration;
use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/common.php';

/**
 * What the kernel's table of connections says of this one: `ss -tno`, without its empty queues.
 *
 * @param resource $stream
 */
function ss($stream): string
{
    // By both ends: connections to several servers may have the same local port.
    $ends = sprintf('src %s and dst %s', stream_socket_get_name($stream, false), stream_socket_get_name($stream, true));
    do {
        $lines = [];
        exec("PATH=\"\$PATH:/sbin:/usr/sbin\" ss -tnoH state established '$ends' 2>&1", $lines, $status);
        if ($status !== 0) {
            throw new RuntimeException("ss failed: is iproute2 installed? It said:\n" . implode("\n", $lines));
        }
        // Just after a handshake the timer for sending it once more runs, until it is acknowledged.
    } while (strpos($lines[0] ?? '', 'timer:(on') !== false);
    return trim((string) preg_replace(['/^\d+\s+\d+/', '/\s+/'], ['', ' '], $lines[0] ?? ''));
}

/**
 * One line of settings, read back from the kernel, and what ss says beside them.
 *
 * @param resource $stream
 */
function show(string $when, $stream): void
{
    $settings = Keepalive::settings($stream);
    $line = sprintf(
        '  %-6s  keepalive %s, idle %d s, interval %d s, count %d, user timeout %s',
        $when,
        $settings->enabled() ? 'on' : 'off',
        $settings->idle(),
        $settings->interval(),
        $settings->count(),
        $settings->userTimeoutMs() ? "{$settings->userTimeoutMs()} ms" : 'none'
    );
    $entry = ss($stream);
    echo coloured($line, $settings->enabled() ? GREEN : '0'), "\n      ss  $entry";
    echo strpos($entry, 'timer:') === false ? " (no timer)\n\n" : "\n\n";
}

function showThisSystem(): void
{
    $library = Doctor::report()['library'];
    $place = str_replace(dirname(__DIR__, 3) . '/', './', (string) $library['found_at']);
    $backend = Keepalive::backend() === 'ffi' ? 'FFI' : 'ext-sockets';
    $defaults = Keepalive::defaults();
    echo '  library   ', $place === '' ? 'not found: keepalive doctor says why' : "{$library['version']}, $place", "\n";
    echo '  PHP       ', PHP_VERSION, ' (', PHP_SAPI, "), through $backend\n";
    echo '  kernel    ', php_uname('s'), ' ', php_uname('r'), "\n\n";
    printf(
        "  A fresh TCP socket has keepalive %s. With it on, and nothing else said:\n"
        . "  idle %d s, interval %d s, count %d. A peer that is gone is noticed\n"
        . "  after %s.\n",
        $defaults->enabled() ? 'on' : 'off',
        $defaults->idle(),
        $defaults->interval(),
        $defaults->count(),
        coloured(Duration::text((float) $defaults->detectionSeconds()), BOLD)
    );
}

function showTcp(): void
{
    $listener = stream_socket_server('tcp://127.0.0.1:0');
    $address = 'tcp://' . stream_socket_get_name($listener, false);
    $stream = stream_socket_client($address);

    code("\$stream = stream_socket_client('$address');");
    show('before', $stream);
    code('Keepalive::enable($stream, 60, 10, 6);');
    Keepalive::enable($stream, 60, 10, 6);
    show('after', $stream);
    echo '  A peer that is gone is noticed after ', coloured('2 min', BOLD), ": 60 s of silence, then\n",
        "  6 probes, 10 s apart, without an answer.\n";
}

function showTls(): void
{
    $file = (string) tempnam(sys_get_temp_dir(), 'keepalive-demo-'); // certificate and key
    exec(
        'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost'
        . " -addext subjectAltName=DNS:localhost -keyout $file -out $file 2>&1",
        $said,
        $status
    );
    if ($status !== 0) {
        throw new RuntimeException("openssl made no certificate:\n" . implode("\n", $said));
    }
    // -www: it does not read this terminal. It ends with its first connection.
    $command = ['openssl', 's_server', '-www', '-accept', '127.0.0.1:0', '-naccept', '1', '-cert', $file];
    [$server, , $port] = start($command, '/^ACCEPT \S+:(\d+)$/');
    $context = stream_context_create(['ssl' => ['cafile' => $file]]);
    $stream = stream_socket_client("tls://localhost:$port", $errno, $message, 10, STREAM_CLIENT_CONNECT, $context);
    unlink($file);
    if ($stream === false) {
        throw new RuntimeException('openssl s_server is not reached. PHP says why above.');
    }

    code("\$stream = stream_socket_client('tls://localhost:$port', ...);");
    $crypto = stream_get_meta_data($stream)['crypto'];
    echo "          {$crypto['protocol']} with openssl s_server, {$crypto['cipher_name']}\n";
    show('before', $stream);
    if (extension_loaded('sockets')) {
        code('socket_import_stream($stream);');
        echo @socket_import_stream($stream) === false
            ? "          false: PHP's own functions do not reach this stream\n\n"
            : "          reaches this stream, in this version of PHP\n\n";
    }
    code('Keepalive::apply($stream, Settings::detectWithin(30));');
    Keepalive::apply($stream, Settings::detectWithin(30));
    show('after', $stream);
    echo '  A peer that is gone is noticed within ', coloured('30 s', BOLD), ", whatever the program does: half\n",
        "  of it for silence and probes, half for data written to a peer already dead.\n";
    fclose($stream);
    proc_close($server);
}

/** Between two network namespaces, where this machine allows them. */
function showDeadPeer(): void
{
    exec(escapeshellarg(HOSTS) . ' run true 2>&1', $reasons, $status);
    if ($status !== 0) {
        echo '  ', wordwrap('Two hosts are not possible here. ' . implode(' ', $reasons), 76, "\n  "), "\n\n";
        showLivingPeer();
        return;
    }
    // Not passthru(), whose pipe would take the terminal's colours away.
    $command = [HOSTS, 'run', PHP_BINARY, __DIR__ . '/dead-peer.php'];
    if (proc_close(proc_open($command, [['file', '/dev/null', 'r']], $pipes)) !== 0) {
        throw new RuntimeException('The connections to the other host could not be shown.');
    }
}

/** What is possible without: a silent peer is asked, and answers. */
function showLivingPeer(): void
{
    $listener = stream_socket_server('tcp://127.0.0.1:0');
    $stream = stream_socket_client('tcp://' . stream_socket_get_name($listener, false));
    code('Keepalive::enable($stream, 1, 1, 3);');
    Keepalive::enable($stream, 1, 1, 3);
    for ($answers = 0, $silence = 0; $answers < 3; usleep(20000)) {
        $before = $silence;
        $silence = Keepalive::status($stream)->lastReceivedMs();
        if ($silence < $before) {
            printf("  after %.1f s of silence: a probe, and the peer's kernel answered\n", $before / 1000);
            $answers++;
        }
    }
    echo "\n  It would have been given up after 3 probes without an answer, 4 s in all.\n";
}

echo coloured('libkeepalive: TCP keepalive on the connections that a program has', BOLD), "\n";
$sections = [
    '1. This system by itself' => 'showThisSystem',
    '2. A TCP connection' => 'showTcp',
    '3. An established TLS connection' => 'showTls',
    '4. The other host is lost' => 'showDeadPeer',
];
foreach ($sections as $heading => $show) {
    echo "\n", coloured($heading, BOLD), "\n\n";
    $show();
}
echo "\n";
