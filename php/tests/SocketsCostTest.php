<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use PHPUnit\Framework\Attributes\Group;

/**
 * Keepalive::sockets() makes system calls for open descriptors only.
 *
 * @group program
 */
#[Group('program')]
final class SocketsCostTest extends KeepaliveTestCase
{
    /**
     * fstat, getsockopt twice, getsockname, getpeername, fstat, and a share of getdents64; all that
     * once more where there are too many for the room that the first look has.
     */
    private const CALLS_PER_SOCKET = 2 * 6.2;

    public function testItGrowsWithTheSocketsThatAreOpen(): void
    {
        $ten = $this->calls(10, 4000);
        $more = $this->calls(1010, 4000);
        self::assertGreaterThan(1000 * 5, $more - $ten, 'strace has counted');
        self::assertLessThan(1000 * self::CALLS_PER_SOCKET, $more - $ten);
    }

    public function testTheLimitOfDescriptorsDoesNotMatter(): void
    {
        $hard = (int) posix_getrlimit()['hard openfiles'];
        self::assertGreaterThan(4000, $hard);
        self::assertSame($this->calls(10, 64), $this->calls(10, $hard));
    }

    /** All system calls of one Keepalive::sockets() with so many sockets open, and this soft limit. */
    private function calls(int $sockets, int $limit): int
    {
        $trace = $this->folder() . '/trace';
        $child = Child::php(
            "for (\$i = 0; \$i < $sockets; \$i++) { \$open[] = stream_socket_server('tcp://127.0.0.1:0'); }"
            . 'Keepalive\Keepalive::sockets(); file_exists("/mark");'
            . 'echo count(Keepalive\Keepalive::sockets()); file_exists("/mark");',
            [],
            [],
            null,
            ['prlimit', "--nofile=$limit:", 'strace', '-f', '-qq', '-o', $trace]
        );
        self::assertSame((string) $sockets, $child->cleanOutput());
        $parts = preg_split('/^.*"\/mark".*$/m', (string) file_get_contents($trace));
        self::assertCount(3, $parts, 'two marks in the trace');
        // Memory is PHP's, for the list that it returns.
        preg_match_all('/^\d+ +(?!m(un)?map|mremap|madvise|brk|write)\w+\(/m', $parts[1], $calls);
        return count($calls[0]);
    }
}
