<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\UnavailableException;

use function dirname;
use function extension_loaded;
use function function_exists;
use function getenv;
use function implode;
use function ini_get;
use function is_file;
use function php_uname;
use function realpath;
use function sprintf;
use function stat;
use function strpos;
use function strtolower;

use const PHP_INT_SIZE;
use const PHP_OS_FAMILY;
use const PHP_SAPI;

/**
 * Finds the shared library.
 *
 * If only preloaded code may use FFI, the application must not decide which library is loaded. So every
 * function and constant is imported (the application could define one of the same name in this
 * namespace), and no path that is loaded comes from an argument (it could call private methods by
 * reflection). A test watches over both.
 *
 * @internal
 */
final class Library
{
    /** The ABI that this package was written for: the library's major version. */
    public const MAJOR = 1;

    /** The place where the last find() found it. */
    private static ?string $found = null;

    /**
     * The path of a usable library, or its bare name if it is on the system's search path.
     *
     * Not the FFI object: all code that could call this would have it, and only FfiBackend may.
     *
     * @throws UnavailableException with every place tried and what was wrong there; the code is an errno if a later
     * call may succeed, because no descriptor is free, otherwise 0
     */
    public static function find(): string
    {
        $why = self::whyNoFfi();
        if ($why !== null) {
            throw $why;
        }
        $tried = [];
        foreach (self::search() as $attempt) {
            if ($attempt['problem'] === null) {
                return self::$found = $attempt['place'];
            }
            $tried[] = "{$attempt['place']} ({$attempt['origin']}): {$attempt['problem']}";
        }
        throw new UnavailableException(
            "No usable library was found. Tried:\n  " . implode("\n  ", $tried) . "\n"
            . 'Install it (make install in the package\'s folder, or the Debian package libkeepalive1), or set '
            . 'KEEPALIVE_LIBRARY to its path.',
            Errno::ofFullTable()
        );
    }

    /** What the last find() returned; null before. */
    public static function foundAt(): ?string
    {
        return self::$found;
    }

    /** Why this code may not use FFI here; null if it may. */
    public static function whyNoFfi(): ?UnavailableException
    {
        if (!extension_loaded('ffi')) {
            return new UnavailableException(
                'The FFI extension is not loaded: install it (' . Php::packageOf('ffi') . ') and enable it with extension=ffi.'
            );
        }
        try {
            \FFI::cdef();
        } catch (\FFI\Exception $barred) {
            $way = 'set ffi.enable=preload, which is PHP\'s default' . (PHP_SAPI === 'cli'
                ? ', or start PHP with -d ffi.enable=1.'
                : ', and opcache.preload=' . dirname(__DIR__, 2) . '/preload.php; where root starts the server, '
                    . 'opcache.preload_user=www-data, too. docs/fpm.md has the steps.');
            $how = sprintf('PHP bars this code from FFI (ffi.enable is "%s", the SAPI %s): ', self::ffiEnable(), PHP_SAPI);
            return new UnavailableException($how . $way, 0, $barred);
        } catch (\Error $disabled) {
            return new UnavailableException('PHP has no class FFI: take it out of disable_classes in php.ini.', 0, $disabled);
        }
        return null;
    }

    /**
     * Whether only preloaded code may use FFI, and not the application's own.
     */
    public static function ffiIsForPreloadedCode(): bool
    {
        return PHP_SAPI !== 'cli' && strtolower(self::ffiEnable()) === 'preload';
    }

    /** PHP's default, which is also the safer answer, if disable_functions has disabled ini_get(). */
    private static function ffiEnable(): string
    {
        return function_exists('ini_get') ? (string) ini_get('ffi.enable') : 'preload';
    }

    /**
     * Tries each place, in order, up to the first that is usable.
     *
     * @return array<int, array{origin: string, place: string, problem: string|null, version: string|null}>
     */
    public static function search(): array
    {
        // Only what open_basedir hides warns; Php is a class more to load.
        return function_exists('ini_get') && (string) ini_get('open_basedir') === '' ? self::attempts()
            : Php::quietly(static function (): array {
                return self::attempts();
            });
    }

    /** @return array<int, array{origin: string, place: string, problem: string|null, version: string|null}> */
    private static function attempts(): array
    {
        $attempts = [];
        foreach (self::places() as $origin => $place) {
            [$place, $problem] = self::examine($origin, $place);
            $version = null;
            if ($problem === null) {
                $linker = \FFI::cdef('const char *dlerror(void);');
                $linker->dlerror(); // forgets what went wrong before
                try {
                    $version = \FFI::cdef(Declarations::C, $place)->ka_version();
                    if ((int) $version !== self::MAJOR) {
                        $problem = "its version is $version, " . self::MAJOR . '.x is needed';
                    }
                } catch (\FFI\Exception $exception) {
                    $problem = $exception->getMessage();
                    $why = $linker->dlerror(); // PHP's message contains it only since 8.3
                    if ($why !== null) {
                        $problem .= " ($why)";
                    }
                }
            }
            $attempts[] = ['origin' => $origin, 'place' => $place, 'problem' => $problem, 'version' => $version];
            if ($problem === null) {
                break;
            }
        }
        return $attempts;
    }

    /**
     * Where to look, in this order. If a library was named, no other place is tried: to load another one would hide the
     * mistake.
     *
     * @return array<string, string> place by origin
     */
    private static function places(): array
    {
        // Of the process, not of a request; some hosting providers disable getenv().
        $chosen = function_exists('getenv') ? (string) getenv('KEEPALIVE_LIBRARY', true) : '';
        if ($chosen !== '' && !self::ffiIsForPreloadedCode()) {
            return ['KEEPALIVE_LIBRARY' => $chosen];
        }
        $mac = PHP_OS_FAMILY === 'Darwin';
        $file = $mac ? 'libkeepalive.dylib' : 'libkeepalive.so';
        $package = dirname(__DIR__, 3);
        return ($chosen === '' ? [] : ['KEEPALIVE_LIBRARY' => $chosen]) + [
            'development build' => "$package/target/release/$file",
            'shipped with the package' => "$package/php/lib/" . self::platform() . "/$file",
            // With the major version: a bare libkeepalive.so may be another project's.
            'system' => $mac ? 'libkeepalive.' . self::MAJOR . '.dylib' : 'libkeepalive.so.' . self::MAJOR,
        ];
    }

    /** As in linux-x86_64, or linux-musl-x86_64 where the C library is musl (Alpine). */
    private static function platform(): string
    {
        $system = strtolower(PHP_OS_FAMILY);
        if ($system === 'linux') {
            try {
                \FFI::cdef('const char *gnu_get_libc_version(void);');
            } catch (\FFI\Exception $notGlibc) {
                $system = 'linux-musl';
            }
        }
        $machine = function_exists('php_uname') ? php_uname('m') : 'unknown'; // some hosting providers disable it
        if (PHP_INT_SIZE === 4) { // Docker's 32-bit images: the kernel reports the machine's processor.
            $machine = ['x86_64' => 'i686', 'aarch64' => 'armv7l'][$machine] ?? $machine;
        }
        return "$system-$machine";
    }

    /** The part of the file's path where every user may put another file; null if there is none. */
    private static function writableByEveryUser(string $file): ?string
    {
        for ($path = $file, $inside = null; $path !== $inside; $inside = $path, $path = dirname($path)) {
            $stat = stat($path);
            if ($stat === false) {
                return null; // above what open_basedir shows
            }
            // In a sticky directory, such as /tmp, only the owner of a file may replace it.
            $isSticky = $inside !== null && ($stat['mode'] & 01000) !== 0;
            if (($stat['mode'] & 02) !== 0 && !$isSticky) {
                return $path;
            }
        }
        return null;
    }

    /**
     * Looks at a place before anything is loaded from there.
     *
     * @return array{string, string|null} where its links lead; what is wrong with it, or null
     */
    private static function examine(string $origin, string $place): array
    {
        if ($origin === 'KEEPALIVE_LIBRARY' && self::ffiIsForPreloadedCode()) {
            $problem = 'ignored: with ffi.enable=preload the application must not choose native code, and putenv() could';
        } elseif (strpos($place, '/') === false && strpos($place, 'libkeepalive.') === 0) {
            // A bare name: the dynamic linker looks for it, and never in the current directory.
            $problem = null;
        } elseif ($place[0] !== '/') {
            $problem = 'not an absolute path';
        } elseif (!is_file($place) || ($file = realpath($place)) === false) {
            $problem = 'no such file, or not visible under open_basedir';
        } else {
            $place = $file;
            $writable = self::writableByEveryUser($place);
            $problem = $writable === null ? null : "every user can write to $writable, and could put other code there";
        }
        return [$place, $problem];
    }
}
