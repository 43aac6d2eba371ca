<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\UnavailableException;

/**
 * Finds and loads the shared library.
 *
 * @internal
 */
final class Library
{
    /** The ABI that this package was written for: the library's major version. */
    public const MAJOR = 1;

    /** Where the last load() found it. */
    private static ?string $loadedFrom = null;

    /** @throws UnavailableException with every place tried, and why it would not do */
    public static function load(): \FFI
    {
        if (!extension_loaded('ffi')) {
            throw new UnavailableException(
                'The FFI extension is not loaded: install it (Debian: php-common has it; Docker images: '
                . 'docker-php-ext-install ffi) and enable it with extension=ffi.'
            );
        }
        try {
            \FFI::cdef();
        } catch (\FFI\Exception $exception) {
            throw new UnavailableException(sprintf(
                'PHP bars this code from FFI (ffi.enable is "%s", the SAPI %s): set ffi.enable=1, or leave it at '
                . '"preload" and set opcache.preload=%s/preload.php.',
                ini_get('ffi.enable'),
                PHP_SAPI,
                dirname(__DIR__, 2)
            ));
        }
        $tried = [];
        foreach (self::places() as $origin => $place) {
            $why = self::unfit($place, $ffi);
            if ($why === null) {
                self::$loadedFrom = $place;
                return $ffi;
            }
            $tried[] = "$place ($origin): $why";
        }
        throw new UnavailableException(
            "The shared library was not found, or would not do. Tried:\n  " . implode("\n  ", $tried) . "\n"
            . 'Install it (make install, or the Debian package libkeepalive1), or set KEEPALIVE_LIBRARY to its path.'
        );
    }

    /** The path, or the bare name where the system's search path had it; null before a load(). */
    public static function loadedFrom(): ?string
    {
        return self::$loadedFrom;
    }

    /**
     * Where to look, in this order. An explicit choice is the only place: to load another library
     * than the one asked for would hide the mistake.
     *
     * @return array<string, string> place by origin
     */
    private static function places(): array
    {
        // Only the environment of the process: getenv() would otherwise also tell what a web
        // server's request brought along.
        $chosen = getenv('KEEPALIVE_LIBRARY', true);
        if ($chosen !== false && $chosen !== '') {
            return ['KEEPALIVE_LIBRARY' => $chosen];
        }
        $mac = PHP_OS_FAMILY === 'Darwin';
        $file = $mac ? 'libkeepalive.dylib' : 'libkeepalive.so';
        $package = dirname(__DIR__, 3);
        $platform = strtolower(PHP_OS_FAMILY) . '-' . php_uname('m');
        return [
            'development build' => "$package/target/release/$file",
            'shipped with the package' => "$package/php/lib/$platform/$file",
            // With the major version: a bare libkeepalive.so may be another project's.
            'system' => $mac ? 'libkeepalive.' . self::MAJOR . '.dylib' : 'libkeepalive.so.' . self::MAJOR,
        ];
    }

    /** Why this library will not do, or null: then $ffi is it. */
    private static function unfit(string $place, ?\FFI &$ffi): ?string
    {
        if (strpos($place, '/') === false) {
            // A bare name: the dynamic linker looks for it, in no directory that it is not told of.
            if (strpos($place, 'libkeepalive.') !== 0) {
                return 'not an absolute path';
            }
        } elseif ($place[0] !== '/') {
            return 'not an absolute path';
        } elseif (!@is_file($place)) {
            return 'no such file, or not visible under open_basedir';
        }
        try {
            $ffi = \FFI::cdef((string) file_get_contents(dirname(__DIR__, 2) . '/keepalive-ffi.h'), $place);
            $version = $ffi->ka_version();
        } catch (\FFI\Exception $exception) {
            return $exception->getMessage();
        }
        return (int) $version === self::MAJOR ? null : "its version is $version, " . self::MAJOR . '.x is needed';
    }
}
