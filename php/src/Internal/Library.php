<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\UnavailableException;

use function dirname;
use function extension_loaded;
use function fileowner;
use function function_exists;
use function getenv;
use function implode;
use function in_array;
use function ini_get;
use function is_file;
use function php_uname;
use function realpath;
use function sprintf;
use function stat;
use function strpos;
use function strtolower;

use const PHP_OS_FAMILY;
use const PHP_SAPI;

/**
 * Finds the shared library.
 *
 * Where preloaded code alone may use FFI, the application must not decide here what is loaded. So every
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

    /** EMFILE, ENFILE and ENOMEM, everywhere: what keeps a library from being loaded now, and may pass. */
    private const PASSING = [24, 23, 12];

    /** Where the last find() found it. */
    private static ?string $found = null;

    /**
     * The path of a library that will do, or its bare name where the system's search path has it.
     *
     * Not the FFI object: whoever could call this would have it, and only FfiBackend is to.
     *
     * @throws UnavailableException with every place tried, and why it would not do; the code is an errno where
     *     the reason may pass, otherwise 0
     */
    public static function find(): string
    {
        $why = self::whyNoFfi();
        if ($why !== null) {
            throw new UnavailableException($why);
        }
        $tried = [];
        $errno = 0;
        foreach (self::search() as $attempt) {
            if ($attempt['problem'] === null) {
                return self::$found = $attempt['place'];
            }
            $tried[] = "{$attempt['place']} ({$attempt['origin']}): {$attempt['problem']}";
            $errno = $errno ?: $attempt['errno'];
        }
        throw new UnavailableException(
            "The shared library was not found, or would not do. Tried:\n  " . implode("\n  ", $tried) . "\n"
            . 'Install it (make install in the package\'s folder, or the Debian package libkeepalive1), or set '
            . 'KEEPALIVE_LIBRARY to its path.',
            $errno
        );
    }

    /** What the last find() returned; null before. */
    public static function foundAt(): ?string
    {
        return self::$found;
    }

    /** Why this code may not use FFI here, or null. */
    public static function whyNoFfi(): ?string
    {
        if (!extension_loaded('ffi')) {
            return 'The FFI extension is not loaded: install it (Debian: php-common has it; Docker images: '
                . 'docker-php-ext-install ffi) and enable it with extension=ffi.';
        }
        try {
            \FFI::cdef();
        } catch (\FFI\Exception $exception) {
            $way = PHP_SAPI === 'cli'
                ? 'set ffi.enable=preload, which is PHP\'s default, or start PHP with -d ffi.enable=1.'
                : 'set ffi.enable=1, or leave it at "preload" and set opcache.preload=' . dirname(__DIR__, 2) . '/preload.php.';
            return sprintf('PHP bars this code from FFI (ffi.enable is "%s", the SAPI %s): ', self::ffiEnable(), PHP_SAPI) . $way;
        }
        return null;
    }

    /**
     * Whether FFI is for preloaded code only, and so barred from the application's own.
     */
    public static function ffiIsForPreloadedCode(): bool
    {
        return PHP_SAPI !== 'cli' && strtolower(self::ffiEnable()) === 'preload';
    }

    /** PHP's default, which is also the stricter answer, where disable_functions has taken ini_get() away. */
    private static function ffiEnable(): string
    {
        return function_exists('ini_get') ? (string) ini_get('ffi.enable') : 'preload';
    }

    /**
     * Tries each place, in order, up to the first that will do.
     *
     * @return array<int, array{origin: string, place: string, problem: string|null, errno: int, version: string|null}>
     *     errno: of a problem that may pass, otherwise 0
     */
    public static function search(): array
    {
        return Quietly::call(static function (): array {
            return self::attempts(); // What open_basedir hides warns.
        });
    }

    /** @return array<int, array{origin: string, place: string, problem: string|null, errno: int, version: string|null}> */
    private static function attempts(): array
    {
        $attempts = [];
        foreach (self::places() as $origin => $place) {
            try {
                [$place, $problem] = self::examine($origin, $place);
            } catch (\Error $disabled) {
                $problem = "whether it is to be trusted cannot be found out ({$disabled->getMessage()}; see disable_functions)";
            }
            $version = null;
            $errno = 0;
            if ($problem === null) {
                $linker = \FFI::cdef('const char *dlerror(void); const char *strerror(int error);');
                $linker->dlerror(); // forgets what went wrong before
                try {
                    $version = \FFI::cdef(Declarations::C, $place)->ka_version();
                    if ((int) $version !== self::MAJOR) {
                        $problem = "its version is $version, " . self::MAJOR . '.x is needed';
                    }
                } catch (\FFI\Exception $exception) {
                    $problem = $exception->getMessage();
                    $why = $linker->dlerror(); // which PHP has in its message since 8.3 only
                    if ($why !== null) {
                        $problem .= " ($why)";
                    }
                    foreach (self::PASSING as $number) { // the linker tells no number, but words, in the user's language
                        $errno = strpos($problem, $linker->strerror($number)) !== false ? $number : $errno;
                    }
                }
            }
            $attempts[] = [
                'origin' => $origin,
                'place' => $place,
                'problem' => $problem,
                'errno' => $errno,
                'version' => $version,
            ];
            if ($problem === null) {
                break;
            }
        }
        return $attempts;
    }

    /**
     * Where to look, in this order. An explicit choice is the only place: to load another library
     * than the one asked for would hide the mistake.
     *
     * @return array<string, string> place by origin
     */
    private static function places(): array
    {
        $chosen = self::environment('KEEPALIVE_LIBRARY');
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
        return "$system-" . (function_exists('php_uname') ? php_uname('m') : 'unknown'); // some hosts disable it
    }

    /**
     * A variable of this process's environment, which is not what a web server's request brought
     * along; '' where there is none, or where whoever set it has fewer rights than the process
     * (secure_getenv(3): a setuid or setcap program).
     */
    private static function environment(string $name): string
    {
        try {
            if (PHP_OS_FAMILY === 'Linux') {
                return \FFI::cdef('const char *secure_getenv(const char *name);')->secure_getenv($name) ?? '';
            }
            return \FFI::cdef('int issetugid(void);')->issetugid() === 0 ? (string) getenv($name, true) : '';
        } catch (\Error $systemCannotTell) { // FFI's, or that of a getenv() that was taken away
            return '';
        }
    }

    /**
     * Who, besides those that are trusted anyway, could exchange the file; null where nobody could.
     *
     * Trusted are the superuser, whoever may write this very file, since PHP runs what it says, and
     * the user that this process runs as, unless the application is to be barred from native code.
     * The owner of / stands for the superuser where a user namespace shows another number.
     */
    private static function distrust(string $file): ?string
    {
        $here = stat(__FILE__) ?: ['uid' => 0, 'gid' => -1, 'mode' => 0]; // not visible under open_basedir
        $owners = [0, $here['uid'], fileowner('/')];
        if (!self::ffiIsForPreloadedCode()) {
            $owners[] = \FFI::cdef('unsigned int geteuid(void);')->geteuid();
        }
        for ($path = $file, $inside = null; $path !== $inside; $inside = $path, $path = dirname($path)) {
            $stat = stat($path);
            if ($stat === false) {
                return null; // Above what open_basedir shows.
            }
            if (!in_array($stat['uid'], $owners, true)) {
                return "$path belongs to user {$stat['uid']}";
            }
            $others = $stat['mode'] & 022;
            $others &= ~($here['mode'] & ($here['gid'] === $stat['gid'] ? 022 : 02));
            // In a sticky directory, such as /tmp, only the owner of a file may replace it.
            if ($others !== 0 && ($inside === null || ($stat['mode'] & 01000) === 0)) {
                return sprintf('%s can be written by %s', $path, ($others & 02) !== 0 ? 'every user' : "group {$stat['gid']}");
            }
        }
        return null;
    }

    /**
     * Looks at a place before anything is loaded from there.
     *
     * @return array{string, string|null} where its links lead; why it will not do, or null
     */
    private static function examine(string $origin, string $place): array
    {
        if ($origin === 'KEEPALIVE_LIBRARY' && self::ffiIsForPreloadedCode()) {
            $problem = 'ignored: with ffi.enable=preload the application must not choose native code, and putenv() could';
        } elseif (strpos($place, '/') === false && strpos($place, 'libkeepalive.') === 0) {
            // A bare name: the dynamic linker looks for it, in no directory that it is not told of.
            $problem = null;
        } elseif ($place[0] !== '/') {
            $problem = 'not an absolute path';
        } elseif (!is_file($place) || ($file = realpath($place)) === false) {
            $problem = 'no such file, or not visible under open_basedir';
        } else {
            $place = $file;
            $why = self::distrust($place);
            $problem = $why === null ? null : "$why, who could put other code there";
        }
        return [$place, $problem];
    }
}
