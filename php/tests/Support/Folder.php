<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

/** Temporary folders. */
final class Folder
{
    public static function create(): string
    {
        $folder = sys_get_temp_dir() . '/keepalive-php-' . getmypid() . '-' . bin2hex(random_bytes(4));
        if (!mkdir($folder, 0700)) {
            throw new \RuntimeException("Cannot create $folder.");
        }
        return $folder;
    }

    public static function remove(string $folder): void
    {
        foreach (scandir($folder) ?: [] as $name) {
            $path = "$folder/$name";
            if ($name === '.' || $name === '..') {
                continue;
            }
            if (is_dir($path) && !is_link($path)) {
                self::remove($path);
            } else {
                unlink($path);
            }
        }
        rmdir($folder);
    }

    public static function copy(string $from, string $to): void
    {
        mkdir($to, 0700, true);
        foreach (scandir($from) ?: [] as $name) {
            if ($name === '.' || $name === '..') {
                continue;
            }
            if (is_dir("$from/$name")) {
                self::copy("$from/$name", "$to/$name");
            } else {
                copy("$from/$name", "$to/$name");
            }
        }
    }
}
