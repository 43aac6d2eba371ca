<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;

/**
 * Which options are set, in which order, as strace sees it.
 *
 * @group program
 */
#[Group('program')]
final class SystemCallsTest extends KeepaliveTestCase
{
    private const KEEPALIVE = [
        'TCP_KEEPINTVL' => 7,
        'TCP_KEEPCNT' => 3,
        'TCP_KEEPIDLE' => 42,
        'SO_KEEPALIVE' => 1,
    ];

    /** @return array<string, array{string, string, array<string, int>}> */
    public static function calls(): array
    {
        return self::withBothBackends([
            'enable' => ['Keepalive::enable($socket, 42, 7, 3);', self::KEEPALIVE],
            'enable with a user timeout' => [
                'Keepalive::enable($socket, 42, 7, 3, 63000);',
                ['TCP_USER_TIMEOUT' => 63000] + self::KEEPALIVE,
            ],
            'apply' => [
                'Keepalive::apply($socket, \Keepalive\Settings::of(42, 7, 3));',
                self::KEEPALIVE,
            ],
            'all unchanged' => ['Keepalive::enable($socket, -1, -1, -1);', ['SO_KEEPALIVE' => 1]],
            'one unchanged' => [
                'Keepalive::enable($socket, -1, 7, 3);',
                ['TCP_KEEPINTVL' => 7, 'TCP_KEEPCNT' => 3, 'SO_KEEPALIVE' => 1],
            ],
            'disable' => ['Keepalive::disable($socket);', ['SO_KEEPALIVE' => 0]],
            'settings' => ['Keepalive::settings($socket);', []],
            'defaults' => ['Keepalive::defaults();', []],
            'a value out of range' => ['try { Keepalive::enable($socket, 42, 7, 128); } catch (Throwable $e) {}', []],
            'a value of another type' => ['try { Keepalive::enable($socket, "42", 7, 3); } catch (Throwable $e) {}', []],
            'a user timeout out of range' => [
                'try { Keepalive::enable($socket, 42, 7, 3, -1); } catch (Throwable $e) {}',
                [],
            ],
        ]);
    }

    /**
     * @dataProvider calls
     * @param array<string, int> $expected
     */
    #[DataProvider('calls')]
    public function testAStreamGetsTheseAndNoOther(string $backend, string $code, array $expected): void
    {
        self::assertSame($expected, $this->optionsSetBy($backend, '$socket = $stream;', $code));
    }

    /**
     * @dataProvider calls
     * @param array<string, int> $expected
     */
    #[DataProvider('calls')]
    public function testASocketGetsTheseAndNoOther(string $backend, string $code, array $expected): void
    {
        self::assertSame(
            $expected,
            $this->optionsSetBy($backend, '$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);', $code)
        );
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testOnAUdpStreamTheFirstRefusalIsTheEnd(string $backend): void
    {
        $made = '$socket = stream_socket_client("udp://127.0.0.1:9");';
        $try = 'try { %s } catch (\Keepalive\Exception\SocketException $e) {}';

        $enable = $this->optionsSetBy($backend, $made, sprintf($try, 'Keepalive::enable($socket, 42, 7, 3);'));
        self::assertSame(['TCP_KEEPINTVL' => 7], $enable);

        $disable = $this->optionsSetBy($backend, $made, sprintf($try, 'Keepalive::disable($socket);'));
        self::assertSame([], $disable);

        $unchanged = $this->optionsSetBy($backend, $made, sprintf($try, 'Keepalive::enable($socket, -1, -1, -1);'));
        self::assertSame([], $unchanged);
    }

    /**
     * What was set between $make and the end, in order; each option once, or the test fails.
     *
     * @return array<string, int>
     */
    private function optionsSetBy(string $backend, string $make, string $code): array
    {
        $trace = $this->folder() . '/trace';
        // A mark in the trace: what PHP itself sets when it opens a socket is not counted.
        $child = Child::php(
            'use Keepalive\Keepalive; '
            . '$stream = stream_socket_server("tcp://127.0.0.1:0"); Keepalive::settings($stream); '
            . "$make file_exists('/mark'); $code file_exists('/mark'); echo Keepalive::backend();",
            $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0'],
            [],
            null,
            ['strace', '-f', '-qq', '-e', 'trace=setsockopt,?stat,?stat64,?newfstatat,?fstatat64,?statx,access', '-o', $trace]
        );
        self::assertSame($backend, $child->cleanOutput());

        $parts = preg_split('/^.*"\/mark".*$/m', (string) file_get_contents($trace));
        self::assertCount(3, $parts, 'two marks in the trace');
        preg_match_all('/setsockopt\(\d+, \w+, (\w+), \[(\d+)\], 4\)/', $parts[1], $calls, PREG_SET_ORDER);
        self::assertCount(substr_count($parts[1], 'setsockopt('), $calls, $parts[1]);
        $options = [];
        foreach ($calls as [, $option, $value]) {
            self::assertArrayNotHasKey($option, $options, $parts[1]);
            $options[$option] = (int) $value;
        }
        return $options;
    }
}
