<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Keepalive;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Kernel;
use Keepalive\Tests\Support\Opened;
use Keepalive\Tests\Support\Sockets;
use PHPUnit\Framework\Attributes\DataProvider;

/**
 * A stream's blocking mode, buffering and data are as before, after every call of the package.
 *
 * fread() shows whether a stream is buffered: then it reads all that has arrived, and keeps the rest for
 * the next call. Without a buffer it reads only what was asked for, by a system call each time.
 */
final class StreamsAreLeftAloneTest extends KeepaliveTestCase
{
    /** @return array<string, array{string, string}> */
    public static function connectedStreams(): array
    {
        $rows = [];
        foreach (['client stream', 'accepted stream', 'persistent stream', 'stream before its TLS handshake'] as $kind) {
            $rows["$kind, FFI"] = ['ffi', $kind];
            $rows["$kind, without FFI"] = ['sockets', $kind];
        }
        foreach (['TLS stream after its handshake', 'accepted TLS stream after its handshake'] as $kind) {
            $rows["$kind, FFI"] = ['ffi', $kind];
        }
        return $rows;
    }

    /** @dataProvider connectedStreams */
    #[DataProvider('connectedStreams')]
    public function testABlockingStreamStaysBlockingAndANonBlockingOneNonBlocking(string $backend, string $kind): void
    {
        self::useBackend($backend);
        $opened = Sockets::kind($kind)();
        $stream = $opened->socket;
        foreach ([true, false, true] as $blocking) {
            stream_set_blocking($stream, $blocking);
            self::askForEverything($stream);
            self::assertSame($blocking, stream_get_meta_data($stream)['blocked']);
            self::assertSame(!$blocking, Kernel::isNonBlocking($stream), 'O_NONBLOCK');
        }
    }

    /** @dataProvider connectedStreams */
    #[DataProvider('connectedStreams')]
    public function testReadingIsStillBuffered(string $backend, string $kind): void
    {
        self::useBackend($backend);
        $opened = Sockets::kind($kind)();
        self::askForEverything($opened->socket);
        self::send($opened, "one\ntwo\nthree\n");

        self::assertSame("one\n", fread($opened->socket, 4));
        self::assertSame(strlen("two\nthree\n"), stream_get_meta_data($opened->socket)['unread_bytes']);
    }

    /** @dataProvider connectedStreams */
    #[DataProvider('connectedStreams')]
    public function testWhatIsInTheBufferAlreadyIsNotLost(string $backend, string $kind): void
    {
        self::useBackend($backend);
        $opened = Sockets::kind($kind)();
        self::send($opened, "one\ntwo\nthree\n");
        self::assertSame("one\n", fread($opened->socket, 4));

        self::askForEverything($opened->socket);

        self::assertSame(strlen("two\nthree\n"), stream_get_meta_data($opened->socket)['unread_bytes']);
        self::assertSame(1, self::readable($opened->socket), 'stream_select() sees the buffer');
        self::assertSame("two\n", fread($opened->socket, 4));
        self::assertSame("three\n", fread($opened->socket, 6));
        self::assertSame(0, self::readable($opened->socket, 0));
        self::send($opened, "four\n");
        self::assertSame("four\n", fgets($opened->socket));
    }

    /** @dataProvider connectedStreams */
    #[DataProvider('connectedStreams')]
    public function testTheChunkSizeAndTheTimeoutStay(string $backend, string $kind): void
    {
        self::useBackend($backend);
        $opened = Sockets::kind($kind)();
        stream_set_chunk_size($opened->socket, 1234);
        stream_set_timeout($opened->socket, 0, 50000);

        self::askForEverything($opened->socket);

        self::assertSame(1234, stream_set_chunk_size($opened->socket, 8192));
        fread($opened->socket, 1);
        self::assertTrue(stream_get_meta_data($opened->socket)['timed_out']);
    }

    public function testAStreamWithoutABufferStaysWithout(): void
    {
        $opened = Sockets::pair('127.0.0.1');
        stream_set_read_buffer($opened->socket, 0);

        self::askForEverything($opened->socket);

        self::send($opened, "one\ntwo\n");
        self::assertSame("one\n", fread($opened->socket, 4));
        self::assertSame(0, stream_get_meta_data($opened->socket)['unread_bytes']);
    }

    /** PHP does not say whether there was a buffer, and ext-sockets always removes it. */
    public function testWithoutFfiAStreamWithoutABufferGetsOne(): void
    {
        self::useBackend('sockets');
        $opened = Sockets::pair('127.0.0.1');
        stream_set_read_buffer($opened->socket, 0);

        self::askForEverything($opened->socket);

        self::send($opened, "one\ntwo\n");
        self::assertSame("one\n", fread($opened->socket, 4));
        self::assertSame(4, stream_get_meta_data($opened->socket)['unread_bytes']);
    }

    public function testTheStreamOfAnImportedSocketIsAsSocketImportStreamLeftIt(): void
    {
        $opened = Sockets::pair('127.0.0.1');
        $imported = socket_import_stream($opened->socket);

        self::askForEverything($imported);

        self::send($opened, "one\ntwo\n");
        self::assertSame("one\n", fread($opened->socket, 4));
        self::assertSame(0, stream_get_meta_data($opened->socket)['unread_bytes']);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testReadingAHundredPiecesCostsOneSystemCall(string $backend): void
    {
        $trace = $this->folder() . '/trace';
        $strace = ['strace', '-f', '-qq', '-e', 'trace=?recv,recvfrom', '-e', 'signal=none', '-o', $trace];
        $child = Child::program('reads-pieces', $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0'], [], $strace);
        self::assertSame($backend, $child->cleanOutput());
        $calls = (string) file_get_contents($trace);
        self::assertSame(1, preg_match_all('/\brecv(from)?\(/', $calls), $calls);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testAStreamCanBeClosedAfterwardsAndAnotherWithItsNumberIsItsOwn(string $backend): void
    {
        self::useBackend($backend);
        $listener = Sockets::listener('127.0.0.1');
        $address = 'tcp://127.0.0.1:' . Sockets::port($listener);
        $first = stream_socket_client($address);
        Keepalive::enable($first, 42, 7, 3);
        $fd = Kernel::descriptor($first);
        $peer = stream_socket_accept($listener, 5);
        fclose($first);
        self::assertSame('', fread($peer, 1), 'nothing holds it open');

        $number = Kernel::descriptor($second = stream_socket_client($address));

        self::assertSame($fd, $number);
        self::assertSame(0, Kernel::options($second)['on']);
    }

    /** @param resource|\Socket $socket */
    private static function askForEverything($socket): void
    {
        Keepalive::enable($socket, 42, 7, 3, 63000);
        Keepalive::settings($socket);
        Keepalive::disable($socket);
        if (Keepalive::backend() === 'ffi') {
            Keepalive::status($socket);
            Keepalive::sockets();
        }
    }

    /** Sends all at once, and waits until it has arrived. */
    private static function send(Opened $opened, string $data): void
    {
        fwrite($opened->peer, $data);
        self::assertSame(1, self::readable($opened->socket));
    }

    /** @param resource $stream */
    private static function readable($stream, int $waitUs = 2000000): int
    {
        $read = [$stream];
        $none = null;
        return (int) stream_select($read, $none, $none, intdiv($waitUs, 1000000), $waitUs % 1000000);
    }
}
