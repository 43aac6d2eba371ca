<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\UnavailableException;

/**
 * Finds the shared library.
 *
 * If only preloaded code may use FFI, the application must not decide which library is loaded. So all functions and
 * constants have a backslash (the application could define others in this namespace), and no path that is loaded comes
 * from an argument (it could call private methods by reflection). A test watches over both.
 */
final class Library
{
    /** The ABI that this package was written for: the library's major version. */
    public const MAJOR = 1;

    /** The code of what find() throws if no descriptor is free, so that a later call may succeed. */
    public const TRY_AGAIN = 1;

    /** What the last place that failed to load has thrown. */
    private static ?\FFI\Exception $thrown = null;

    /**
     * The path of a usable library, or its bare name if it is on the system's search path. Not the FFI object: all code
     * that could call this would have it, and only FfiBackend may.
     *
     * @throws UnavailableException with every place tried and what was wrong there
     */
    public static function find(): string
    {
        $why = self::whyNoFfi();
        if ($why !== null) {
            throw $why;
        }
        $tried = '';
        foreach (self::search() as $attempt) {
            if ($attempt['problem'] === null) {
                return $attempt['place'];
            }
            $tried .= "  {$attempt['place']} ({$attempt['origin']}): {$attempt['problem']}\n";
        }
        $free = Php::quietly(static fn () => \fopen(__FILE__, 'r', false, \stream_context_create()));
        $message = "No usable library was found. Tried:\n{$tried}Install it (make install in the package's folder, or "
            . 'the Debian package libkeepalive1), or set KEEPALIVE_LIBRARY to its path.';
        throw new UnavailableException($message, $free === false ? self::TRY_AGAIN : 0, self::$thrown);
    }

    /** Why this code may not use FFI here; null if it may. */
    public static function whyNoFfi(): ?UnavailableException
    {
        if (!\extension_loaded('ffi')) {
            return new UnavailableException('The FFI extension is not loaded. vendor/bin/keepalive doctor says what to do.');
        }
        try {
            \FFI::cdef();
            return null;
        } catch (\FFI\Exception $barred) {
            $message = 'PHP bars this code from FFI (ffi.enable is "%s", the SAPI %s). For a web server, docs/fpm.md '
                . 'has the steps; on the command line, start PHP with -d ffi.enable=1.';
            return new UnavailableException(\sprintf($message, self::ffiEnable(), \PHP_SAPI), 0, $barred);
        } catch (\Error $none) {
            return new UnavailableException('PHP has no class FFI: take it out of disable_classes in php.ini.', 0, $none);
        }
    }

    /** Whether only preloaded code may use FFI, and not the application's own. */
    public static function ffiIsForPreloadedCode(): bool
    {
        return \PHP_SAPI !== 'cli' && \strtolower(self::ffiEnable()) === 'preload';
    }

    /** Not ini_get() by itself: OPcache would compile the value of that moment in, and a pool may have another. */
    private static function ffiEnable(): string
    {
        return (string) \current(\array_map('ini_get', ['ffi.enable']));
    }

    /**
     * Tries each place, in order, up to the first that is usable.
     *
     * @return array<int, array{origin: string, place: string, problem: string|null, version: string|null}>
     */
    public static function search(): array
    {
        if ((string) \ini_get('open_basedir') === '') {
            return self::attempts();
        }
        return Php::quietly(static fn () => self::attempts()); // PHP warns of what open_basedir hides
    }

    private static function attempts(): array
    {
        $attempts = [];
        foreach (self::places() as $origin => $place) {
            $place = $place[0] === '/' && ($file = \realpath($place)) !== false ? $file : $place;
            $problem = self::problem($origin, $place);
            $version = null;
            if ($problem === null) {
                $linker = \FFI::cdef('const char *dlerror(void);');
                $linker->dlerror(); // forgets what went wrong before
                try {
                    $version = \FFI::cdef(Declarations::C, $place)->ka_version();
                    $problem = (int) $version === self::MAJOR ? null
                        : "its version is $version, " . self::MAJOR . '.x is needed';
                } catch (\FFI\Exception $thrown) {
                    self::$thrown = $thrown;
                    $why = $linker->dlerror(); // PHP's message contains it only since 8.3
                    $problem = $thrown->getMessage() . ($why === null ? '' : " ($why)");
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
     * Where to look, in this order, by origin. If a library was named, no other place is tried: to load another one
     * would hide the mistake.
     *
     * @return \Generator<string, string>
     */
    private static function places(): \Generator
    {
        $named = (string) \getenv('KEEPALIVE_LIBRARY', true); // of the process, not of a request
        if ($named !== '') {
            yield 'KEEPALIVE_LIBRARY' => $named;
        }
        if ($named !== '' && !self::ffiIsForPreloadedCode()) {
            return;
        }
        $mac = \PHP_OS_FAMILY === 'Darwin';
        $file = $mac ? 'libkeepalive.dylib' : 'libkeepalive.so';
        $package = \dirname(__DIR__, 3);
        yield 'development build' => "$package/target/release/$file";
        yield 'shipped with the package' => "$package/php/lib/" . self::platform() . "/$file";
        // With the major version: a bare libkeepalive.so may be another project's.
        yield 'system' => $mac ? 'libkeepalive.' . self::MAJOR . '.dylib' : 'libkeepalive.so.' . self::MAJOR;
    }

    /** As in linux-x86_64, or linux-musl-x86_64 where the C library is musl (Alpine). */
    private static function platform(): string
    {
        $system = \strtolower(\PHP_OS_FAMILY);
        try {
            \FFI::cdef('const char *gnu_get_libc_version(void);');
        } catch (\FFI\Exception $notGlibc) {
            $system = $system === 'linux' ? 'linux-musl' : $system;
        }
        // Some hosting providers disable php_uname().
        return "$system-" . (\function_exists('php_uname') ? \php_uname('m') : 'unknown');
    }

    /** What is wrong with a place, seen before anything is loaded from there; null if nothing is. */
    private static function problem(string $origin, string $place): ?string
    {
        if ($origin === 'system') {
            return null; // the dynamic linker never looks for a bare name in the current directory
        }
        if ($origin === 'KEEPALIVE_LIBRARY' && self::ffiIsForPreloadedCode()) {
            return 'ignored: with ffi.enable=preload the application must not choose native code, and putenv() could';
        }
        if ($place[0] !== '/') {
            return 'not an absolute path';
        }
        if (!\is_file($place)) {
            return 'no such file, or not visible under open_basedir';
        }
        for ($path = $place; $path !== \dirname($path); $path = \dirname($path)) {
            $mode = (int) \fileperms($path); // 0 for folders that open_basedir hides
            $isSticky = $path !== $place && ($mode & 01000) !== 0; // as /tmp: only its owner may replace a file
            if (($mode & 02) !== 0 && !$isSticky) {
                return "every user can write to $path, and could put other code there";
            }
        }
        return null;
    }
}
