<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Exception\SocketException;
use Keepalive\Exception\TypeError;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use PHPUnit\Framework\Attributes\DataProvider;

/**
 * A process without a free descriptor, in which PHP can read no file, and so load no class, any more.
 *
 * The first call comes before; each case is a process of its own, with nothing loaded.
 */
final class FullTableTest extends KeepaliveTestCase
{
    /** No call but those that answer with them, or work with them, need these. */
    private const LOADED_WHEN_NEEDED = [
        'Internal\Address', 'Internal\Connector', 'Internal\Peers', 'OpenSocket', 'Status',
    ];
    private const FFI = ['Internal\Declarations', 'Internal\FfiBackend', 'Internal\Library'];

    /**
     * PHP's flags, what the first call gets, and which classes it does not load.
     *
     * @return array<string, array{string[], string, string[]}>
     */
    public static function firstCalls(): array
    {
        $withoutFfi = ['-d', 'ffi.enable=0'];
        return [
            'FFI' => [[], '$stream', array_merge(self::LOADED_WHEN_NEEDED, ['Internal\SocketsBackend'])],
            'without FFI' => [$withoutFfi, '$stream', array_merge(self::LOADED_WHEN_NEEDED, ['Internal\Declarations'])],
            'Socket' => [$withoutFfi, 'socket_import_stream($stream)', array_merge(self::LOADED_WHEN_NEEDED, self::FFI)],
        ];
    }

    /**
     * @dataProvider firstCalls
     * @param string[] $flags
     */
    #[DataProvider('firstCalls')]
    public function testEveryOtherCallWorksOrSaysWhatIsWrong(array $flags, string $socket): void
    {
        $child = Child::php(
            'use Keepalive\Keepalive;
            $stream = stream_socket_server("tcp://127.0.0.1:0");
            $socket = ' . $socket . ';
            $memory = fopen("php://memory", "r");
            $works = [
                function () use ($socket) { Keepalive::disable($socket); },
                function () use ($socket) { Keepalive::enable($socket, 43, 8, 4, 64000); },
                function () use ($socket) { return Keepalive::settings($socket)->idle(); },
                function () use ($socket) { Keepalive::enable($socket, 0, 0, 128); },
                function () { Keepalive::disable("x"); },
                function () use ($memory) { Keepalive::enable($memory); },
                function () { Keepalive::defaults(); },
            ];
            if (is_object($socket) || PHP_VERSION_ID < 80000 && get_resource_type($socket) === "Socket") {
                array_splice($works, 4); // all else needs another backend, of which no call has been yet
            }
            Keepalive::enable($socket);
            while (($held[] = @fopen("/dev/null", "r")) !== false);
            echo count($held) > 20 ? "full" : "there is room";
            foreach ($works as $work) {
                try {
                    echo "\n", $work() ?? "fine";
                } catch (Throwable $thrown) {
                    echo get_class($thrown), " ", $thrown->getCode();
                }
            }',
            $flags,
            [],
            null,
            Child::limitedTo(40)
        );
        $expected = [
            'full',
            'fine',
            'fine',
            '43',
            InvalidArgumentException::class . ' 0',
            TypeError::class . ' 0',
            SocketException::class . ' ' . SOCKET_ENOTSOCK,
            SocketException::class . ' ' . SOCKET_EMFILE,
        ];
        $said = explode("\n", $child->cleanOutput());
        self::assertContains(count($said), [5, 8]);
        self::assertSame(array_slice($expected, 0, count($said)), $said);
    }

    /**
     * A class that is new must be in the list of Keepalive, or in the one above.
     *
     * @dataProvider firstCalls
     * @param string[] $flags
     * @param string[] $notLoaded
     */
    #[DataProvider('firstCalls')]
    public function testEveryClassIsLoadedByTheFirstCallOrIsKnownNotToBe(array $flags, string $socket, array $notLoaded): void
    {
        $child = Child::php(
            '$stream = stream_socket_server("tcp://127.0.0.1:0");
            Keepalive\Keepalive::enable(' . $socket . ');
            echo implode("\n", array_merge(get_declared_classes(), get_declared_interfaces()));',
            $flags
        );
        $classes = [];
        foreach (['', 'Exception/', 'Internal/'] as $folder) {
            foreach (glob(dirname(__DIR__) . "/src/$folder*.php") ?: [] as $file) {
                $classes[] = strtr($folder, '/', '\\') . basename($file, '.php');
            }
        }
        $loaded = str_replace('Keepalive\\', '', preg_grep('/^Keepalive\\\\/', explode("\n", $child->cleanOutput())));
        $missing = array_values(array_diff($classes, $loaded));
        sort($missing);
        sort($notLoaded);
        self::assertSame($notLoaded, $missing);
    }
}
