<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Run;

/**
 * What the headers of an executable or a library contain: elf(5).
 *
 * @internal
 */
final class Elf
{
    private const PT_INTERP = 3;
    private const PT_NOTE = 4;

    /** A note of type 4 and the name "Go": the build ID that the Go linker writes into every program. */
    private const GO_NOTE = "\4\0\0\0Go\0\0";

    /** Enough for the headers and their notes; more is not read. */
    private const MAX_SIZE = 65536;

    /** "64-bit, machine 62": files can be loaded together only if this is equal. */
    public string $platform;
    /** The path of the dynamic loader; null for static programs, and for libraries. */
    public ?string $loader = null;
    public bool $isGo = false;

    /** @return self|null null if the file is something else, or is damaged */
    public static function read(string $file): ?self
    {
        $handle = @fopen($file, 'rb');
        if ($handle === false) {
            return null;
        }
        try {
            $head = (string) fread($handle, 64);
            if (strlen($head) < 52 || strncmp($head, "\x7fELF", 4) !== 0) {
                return null;
            }
            return new self($handle, $head);
        } finally {
            fclose($handle);
        }
    }

    /** @param resource $handle */
    private function __construct($handle, string $head)
    {
        $is64 = ord($head[4]) === 2;
        [$short, $long] = ord($head[5]) === 2 ? ['n', 'N'] : ['v', 'V'];
        $address = $is64 ? ($long === 'N' ? 'J' : 'P') : $long;
        $machine = self::number($short, $head, 18);
        $this->platform = ($is64 ? '64' : '32') . "-bit, machine $machine";

        $start = self::number($address, $head, $is64 ? 32 : 28);
        $size = self::number($short, $head, $is64 ? 54 : 42);
        $count = self::number($short, $head, $is64 ? 56 : 44);
        $headers = str_split(self::part($handle, $start, $size * $count), max(1, $size));
        foreach ($headers as $header) {
            if (strlen($header) < ($is64 ? 56 : 32)) {
                continue;
            }
            $type = self::number($long, $header, 0);
            $offset = self::number($address, $header, $is64 ? 8 : 4);
            $length = self::number($address, $header, $is64 ? 32 : 16);
            if ($type === self::PT_INTERP) {
                $this->loader = rtrim(self::part($handle, $offset, $length), "\0");
            } elseif ($type === self::PT_NOTE) {
                $this->isGo = $this->isGo || strpos(self::part($handle, $offset, $length), self::GO_NOTE) !== false;
            }
        }
    }

    /** @param string $format a letter of unpack() */
    private static function number(string $format, string $bytes, int $offset): int
    {
        return (int) (unpack($format, $bytes, $offset)[1] ?? 0);
    }

    /** @param resource $handle */
    private static function part($handle, int $offset, int $length): string
    {
        if ($length < 1 || $length > self::MAX_SIZE || fseek($handle, $offset) !== 0) {
            return '';
        }
        return (string) fread($handle, $length);
    }
}
