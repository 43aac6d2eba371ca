<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

use Keepalive\Exception\UnavailableException;
use Keepalive\Internal\Backend;
use Keepalive\Internal\FfiBackend;
use Keepalive\Internal\SocketsBackend;
use Keepalive\Keepalive;
use PHPUnit\Framework\TestCase;

/** What the tests share: both backends to choose from, and a folder that is removed afterwards. */
abstract class KeepaliveTestCase extends TestCase
{
    private ?string $folder = null;

    protected function setUp(): void
    {
        self::useBackend('ffi');
    }

    protected function tearDown(): void
    {
        if ($this->folder !== null) {
            Folder::remove($this->folder);
            $this->folder = null;
        }
    }

    /** @return array<string, array{string}> */
    public static function backends(): array
    {
        return ['FFI' => ['ffi'], 'without FFI' => ['sockets']];
    }

    /**
     * Each row once with each backend, which becomes the first argument.
     *
     * @param array<string, array<mixed>> $rows
     * @return array<string, array<mixed>>
     */
    protected static function withBothBackends(array $rows): array
    {
        $both = [];
        foreach (self::backends() as $name => $backend) {
            foreach ($rows as $row => $arguments) {
                $both["$row, $name"] = array_merge($backend, $arguments);
            }
        }
        return $both;
    }

    /**
     * As Keepalive chooses one by itself where there is FFI and where there is none; that it does so
     * is what WithoutFfiTest is for.
     */
    protected static function useBackend(string $name): void
    {
        self::setBackend($name === 'ffi' ? new FfiBackend() : new SocketsBackend(new UnavailableException('FFI is off in this test.')));
        if (Keepalive::backend() !== $name) {
            throw new \LogicException("The backend is not $name."); // not an assertion, which would count as one of the test
        }
    }

    /** An empty folder of this test's own. */
    protected function folder(): string
    {
        return $this->folder ?? $this->folder = Folder::create();
    }

    /** What $work throws; a test that expects something and gets nothing fails here. */
    protected static function thrownBy(callable $work): \Throwable
    {
        try {
            $work();
        } catch (\Throwable $thrown) {
            return $thrown;
        }
        self::fail('Nothing was thrown.');
    }

    protected static function setBackend(Backend $backend): void
    {
        $property = new \ReflectionProperty(Keepalive::class, 'backend');
        if (PHP_VERSION_ID < 80100) {
            $property->setAccessible(true);
        }
        $property->setValue(null, $backend);
    }
}
