<?php

/**
 * The demo of `make demo`: keepalive on a TCP and on a TLS connection, as the kernel reports it, and
 * what it is for: a host that is lost.
 *
 *     php demo.php
 *
 * All connections stay on this machine; the TLS server is `openssl s_server`. It needs the programs
 * ss and openssl (Debian: iproute2, openssl), and those of tests/deadpeer/hosts.
 */

declare(strict_types=1);

use Keepalive\CommandLine\Doctor;
use Keepalive\CommandLine\Duration;
use Keepalive\Exception\KeepaliveException;
use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php';
require __DIR__ . '/colours.php';
require __DIR__ . '/TlsServer.php';

const HOSTS = __DIR__ . '/../../../tests/deadpeer/hosts';

function heading(string $text): void
{
    echo "\n", coloured($text, BOLD), "\n\n";
}

/** Lines of code, as a user would write them. */
function code(string ...$lines): void
{
    foreach ($lines as $line) {
        echo '  ', coloured($line, DIM), "\n";
    }
    echo "\n";
}

/**
 * What the kernel's table of connections says of this one: `ss -tno`, without its empty queues.
 *
 * @param resource $stream
 */
function ss($stream): string
{
    // By both ends: connections to several servers may have the same local port.
    $local = stream_socket_get_name($stream, false);
    $remote = stream_socket_get_name($stream, true);
    do {
        $lines = [];
        exec("PATH=\"\$PATH:/sbin:/usr/sbin\" ss -tnoH state established 'src $local and dst $remote' 2>&1", $lines, $status);
        if ($status !== 0) {
            throw new RuntimeException("ss failed: is iproute2 installed? It said:\n" . implode("\n", $lines));
        }
        // Just after a handshake the timer for sending it once more runs, until it is acknowledged.
    } while (strpos($lines[0] ?? '', 'timer:(on') !== false);
    return trim((string) preg_replace('/\s+/', ' ', preg_replace('/^\d+\s+\d+/', '', $lines[0] ?? '')));
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
    echo coloured($line, $settings->enabled() ? GREEN : '0'), "\n";
    $entry = ss($stream);
    echo "      ss  $entry", strpos($entry, 'timer:') === false ? ' (no timer)' : '', "\n";
}

function introduce(): void
{
    $backend = Keepalive::backend();
    $library = Doctor::report()['library'];
    $place = (string) $library['found_at'];
    $here = dirname(__DIR__, 3) . '/';
    $place = strpos($place, $here) === 0 ? './' . substr($place, strlen($here)) : $place;
    printf("  library   %s\n", $place === '' ? 'not found: keepalive doctor says why' : "{$library['version']}, $place");
    printf("  PHP       %s (%s), through %s\n", PHP_VERSION, PHP_SAPI, $backend === 'ffi' ? 'FFI' : 'ext-sockets');
    printf("  kernel    %s %s\n", php_uname('s'), php_uname('r'));
}

function showDefaults(): void
{
    $defaults = Keepalive::defaults();
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
    $peer = stream_socket_accept($listener);

    code("\$stream = stream_socket_client('$address');");
    show('before', $stream);
    echo "\n";
    code('Keepalive::enable($stream, 60, 10, 6);');
    Keepalive::enable($stream, 60, 10, 6);
    show('after', $stream);
    $time = coloured('2 min', BOLD);
    echo "\n  A peer that is gone is noticed after $time: 60 s of silence, then\n  6 probes, 10 s apart, without an answer.\n";
    fclose($peer);
}

function showTls(): void
{
    $server = new TlsServer();
    $context = stream_context_create(['ssl' => ['cafile' => $server->certificate()]]);
    $address = "tls://localhost:{$server->port()}";
    $stream = @stream_socket_client($address, $errno, $message, 10, STREAM_CLIENT_CONNECT, $context);
    if ($stream === false) {
        throw new RuntimeException("Connecting to openssl s_server failed: $message");
    }

    code("\$stream = stream_socket_client('$address', ...);");
    $crypto = stream_get_meta_data($stream)['crypto'];
    echo "          {$crypto['protocol']} with openssl s_server, {$crypto['cipher_name']}\n";
    show('before', $stream);
    echo "\n";
    if (extension_loaded('sockets')) {
        code('socket_import_stream($stream);');
        $imported = @socket_import_stream($stream);
        echo $imported === false
            ? "          false: PHP's own functions do not reach this stream\n\n"
            : "          reaches this stream, in this version of PHP\n\n";
    }
    code('Keepalive::apply($stream, Settings::detectWithin(30));');
    Keepalive::apply($stream, Settings::detectWithin(30));
    show('after', $stream);
    $time = coloured('30 s', BOLD);
    echo "\n  A peer that is gone is noticed within $time, whatever the program does: half\n"
        . "  of it for silence and probes, half for data written to a peer already dead.\n";
    fclose($stream);
}

/** Between two network namespaces, where this machine allows them. */
function showDeadPeer(): void
{
    exec(escapeshellarg(HOSTS) . ' run true 2>&1', $reasons, $status);
    if ($status !== 0) {
        echo '  ', wordwrap('Two hosts cannot be had here. ' . implode(' ', $reasons), 76, "\n  "), "\n\n";
        showLivingPeer();
        return;
    }
    $command = [HOSTS, 'run', PHP_BINARY, __DIR__ . '/dead-peer.php'];
    $process = proc_open($command, [['file', '/dev/null', 'r']], $pipes);
    if ($process === false || proc_close($process) !== 0) {
        throw new RuntimeException('The connections to the other host could not be shown.');
    }
}

/** What can be seen without: that a silent peer is asked, and answers. */
function showLivingPeer(): void
{
    $listener = stream_socket_server('tcp://127.0.0.1:0');
    $stream = stream_socket_client('tcp://' . stream_socket_get_name($listener, false));
    $peer = stream_socket_accept($listener);
    code('Keepalive::enable($stream, 1, 1, 3);');
    Keepalive::enable($stream, 1, 1, 3);
    $silence = 0;
    for ($answers = 0; $answers < 3; usleep(20000)) {
        $before = $silence;
        $silence = Keepalive::status($stream)->lastReceivedMs();
        if ($silence < $before) {
            printf("  after %.1f s of silence: a probe, and the peer's kernel answered\n", $before / 1000);
            $answers++;
        }
    }
    echo "\n  It would have been given up after 3 probes without an answer, 4 s in all.\n";
    fclose($peer);
}

try {
    echo coloured('libkeepalive: TCP keepalive on the connections that a program has', BOLD), "\n\n";
    introduce();
    heading('1. This system by itself');
    showDefaults();
    heading('2. A TCP connection');
    showTcp();
    heading('3. An established TLS connection');
    showTls();
    heading('4. The other host is lost');
    showDeadPeer();
    echo "\n";
} catch (KeepaliveException | RuntimeException $exception) {
    fwrite(STDERR, $exception->getMessage() . "\n");
    exit(1);
}
