<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Run;

use Keepalive\Exception\UnavailableException;
use Keepalive\Internal\Library;

/**
 * libkeepalive-preload.so: where it is.
 *
 * @internal
 */
final class PreloadObject
{
    /** The variables that it reads. */
    public const VARIABLES = ['LIBKEEPALIVE', 'LIBKEEPALIVE_TO', 'LIBKEEPALIVE_LOG'];

    private const NAME = 'libkeepalive-preload.so';

    /**
     * The one that belongs to this package's library: in the library's folder, or below it if that is a system folder.
     *
     * @throws UnavailableException it is not there, or the dynamic loader could not take its path
     */
    public static function find(): string
    {
        $folder = dirname(self::path(Library::find()));
        $places = ["$folder/" . self::NAME, "$folder/libkeepalive/" . self::NAME];
        foreach ($places as $place) {
            if (is_file($place)) {
                if (preg_match('/[ :]/', $place) === 1) {
                    throw new UnavailableException(
                        "LD_PRELOAD cannot name \"$place\": a space or a colon ends a name there. Use a copy of this "
                        . 'package in another folder.'
                    );
                }
                return $place;
            }
        }
        throw new UnavailableException(
            self::NAME . ' is not beside the library. Tried: ' . implode(', ', $places) . '. Install it: make install in '
            . 'the package\'s folder, or the Debian package libkeepalive-preload.'
        );
    }

    /** @param string $maps /proc/PID/maps @return string|null where it is; null if it is not loaded */
    public static function loadedInto(string $maps): ?string
    {
        return self::mapped($maps, self::NAME);
    }

    /** The path of a library that the loader found by its bare name. */
    private static function path(string $library): string
    {
        return strpos($library, '/') !== false
            ? $library
            : self::mapped((string) @file_get_contents('/proc/self/maps'), $library) ?? $library;
    }

    /** @param string $name the path's last part, or its beginning, as in libkeepalive.so.1 of libkeepalive.so.1.0.0 */
    private static function mapped(string $maps, string $name): ?string
    {
        return preg_match('~ (/.*/' . preg_quote($name, '~') . '[\d.]*)$~m', $maps, $path) === 1 ? $path[1] : null;
    }
}
