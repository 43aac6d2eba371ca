<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Keepalive;
use Keepalive\OpenSocket;
use Keepalive\Settings;
use Keepalive\Status;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Sockets;

/** The objects that the package returns are plain values: they can be copied, stored and printed. */
final class ObjectsTest extends KeepaliveTestCase
{
    public function testTheyCanBeStoredAndCopied(): void
    {
        foreach ($this->objects() as $object) {
            self::assertEquals($object, unserialize(serialize($object)));
            self::assertEquals($object, clone $object);
        }
    }

    public function testTheyCanBeShownAndHoldNothingButValues(): void
    {
        foreach ($this->objects() as $object) {
            foreach ((array) $object as $value) {
                self::assertTrue($value === null || is_scalar($value));
            }
            ob_start();
            var_dump($object);
            print_r($object);
            self::assertStringContainsString(get_class($object), (string) ob_get_clean());
        }
    }

    public function testTheirJsonHasWhatTheirMethodsReturn(): void
    {
        foreach ($this->objects() as $object) {
            $values = json_decode((string) json_encode($object), true);
            self::assertGreaterThanOrEqual(4, count($values));
            foreach ($values as $method => $value) {
                self::assertSame($object->$method(), $value);
            }
        }
    }

    public function testTheyCannotBeChanged(): void
    {
        foreach ($this->objects() as $object) {
            foreach ((new \ReflectionObject($object))->getProperties() as $property) {
                $thrown = self::thrownBy(static function () use ($object, $property): void {
                    $object->{$property->getName()} = 1;
                });
                self::assertInstanceOf(\Error::class, $thrown);
                self::assertStringContainsString('Cannot access private property', $thrown->getMessage());
            }
        }
    }

    public function testAStoredOpenSocketDoesNotHoldTheSocketOpen(): void
    {
        $opened = Sockets::pair('127.0.0.1');
        $open = unserialize(serialize($this->openSocketOf($opened->socket)));
        Keepalive::enable($open);
        fclose($opened->socket);
        self::assertSame('', fread($opened->peer, 1));
        self::assertSame(SOCKET_EBADF, self::thrownBy(static function () use ($open): void {
            Keepalive::enable($open);
        })->getCode());
    }

    public function testEveryClassIsFinal(): void
    {
        foreach (glob(dirname(__DIR__) . '/src/{,*/}*.php', GLOB_BRACE) ?: [] as $file) {
            $name = 'Keepalive' . strtr(substr($file, strlen(dirname(__DIR__) . '/src'), -4), '/', '\\');
            $class = new \ReflectionClass($name);
            self::assertTrue($class->isFinal() || $class->isInterface(), $name);
        }
    }

    /** @return object[] */
    private function objects(): array
    {
        $opened = Sockets::pair('127.0.0.1');
        $status = Keepalive::status($opened->socket);
        self::assertInstanceOf(Status::class, $status);
        return [
            Settings::of(60, 10, 6),
            Keepalive::settings($opened->socket),
            $status,
            $this->openSocketOf($opened->socket),
        ];
    }

    /** @param resource $stream */
    private function openSocketOf($stream): OpenSocket
    {
        $ends = [stream_socket_get_name($stream, false), stream_socket_get_name($stream, true)];
        foreach (Keepalive::sockets() as $open) {
            if ([$open->local(), $open->remote()] === $ends) {
                return $open;
            }
        }
        self::fail('Keepalive::sockets() has not found it.');
    }
}
