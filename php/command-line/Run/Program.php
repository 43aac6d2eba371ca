<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Run;

use Keepalive\CommandLine\Libc;

/**
 * The program that a command runs, and the reason if LD_PRELOAD cannot reach its sockets.
 *
 * @internal
 */
final class Program
{
    /** How many interpreters of interpreters Linux follows. */
    private const MAX_DEPTH = 4;

    /** Where commands are looked for without PATH: execvp(3). */
    private const DEFAULT_PATH = '/bin:/usr/bin';

    private const SHELL = '/bin/sh';

    private const S_ISUID = 04000;
    private const S_ISGID = 02010; // without execute permission this bit means something else

    /** @return string|null the file that the command names; null if there is none */
    public static function find(string $command): ?string
    {
        if (strpos($command, '/') !== false) {
            return is_file($command) ? $command : null;
        }
        $unusable = null;
        $path = getenv('PATH');
        foreach (explode(':', $path === false ? self::DEFAULT_PATH : $path) as $folder) {
            $file = ($folder === '' ? '.' : $folder) . "/$command";
            if ($command !== '' && is_file($file)) {
                if (is_executable($file)) {
                    return $file;
                }
                $unusable = $unusable ?? $file;
            }
        }
        return $unusable;
    }

    /**
     * A sentence that says what cannot be reached, and why; null if the object can be preloaded.
     *
     * @param string $object libkeepalive-preload.so
     * @param string[] $arguments of the command, for what env runs
     */
    public static function whyNot(string $file, array $arguments, string $object, int $depth = 0): ?string
    {
        if ($depth > self::MAX_DEPTH) {
            return "$file is a script whose interpreter is a script, more than " . self::MAX_DEPTH . ' times.';
        }
        if (!is_readable($file)) { // it may be executable, as some distributions' sudo is
            return "$file cannot be read, so it is not known whether LD_PRELOAD reaches it.";
        }
        $start = (string) @file_get_contents($file, false, null, 0, 256);
        if (strncmp($start, "\x7fELF", 4) !== 0) {
            return self::whyNotTheInterpreter($start, array_merge([$file], $arguments), $object, $depth);
        }
        $why = self::whyNotElf($file, $object) ?? self::whyIgnored($file) ?? self::whyTheLoaderRefuses($file, $object);
        if ($why !== null) {
            return "$file $why";
        }
        if (basename($file) === 'env') { // it becomes another program
            return self::whyNotWhatEnvRuns($arguments, $object, $depth);
        }
        return null;
    }

    /** @param string[] $arguments those of the script after its name */
    private static function whyNotTheInterpreter(string $start, array $arguments, string $object, int $depth): ?string
    {
        // Without #! the C library, and every shell, runs it with /bin/sh.
        preg_match('/^#![ \t]*(\S+)[ \t]*(.*)/', $start, $line);
        $interpreter = $line[1] ?? self::SHELL;
        $argument = rtrim($line[2] ?? '');
        if (!is_file($interpreter)) {
            return null; // the kernel's error will say so
        }
        return self::whyNot($interpreter, array_merge($argument === '' ? [] : [$argument], $arguments), $object, $depth + 1);
    }

    /** @param string[] $arguments of env */
    private static function whyNotWhatEnvRuns(array $arguments, string $object, int $depth): ?string
    {
        // A #! line passes "-S php -d x" as one argument.
        $words = preg_split('/\s+/', implode(' ', $arguments), -1, PREG_SPLIT_NO_EMPTY) ?: [];
        foreach ($words as $i => $word) {
            if (in_array($word, ['-', '-i', '--ignore-environment'], true)) {
                return "env $word removes LD_PRELOAD. Put env before keepalive: env $word keepalive run.";
            }
            if (in_array($words[$i - 1] ?? '', ['-u', '-C'], true)) {
                continue; // the value of this option
            }
            if ($word[0] !== '-' && strpos($word, '=') === false) {
                $file = self::find($word);
                return $file === null ? null : self::whyNot($file, [], $object, $depth + 1);
            }
        }
        return null;
    }

    private static function whyNotElf(string $file, string $object): ?string
    {
        $elf = Elf::read($file);
        if ($elf === null) {
            return 'cannot be run: its ELF header is damaged.';
        }
        if ($elf->isGo) {
            return 'is a Go program: it opens sockets without the C library, so LD_PRELOAD does not reach them.';
        }
        if ($elf->loader === null) {
            return 'is statically linked: there is no dynamic loader, so LD_PRELOAD does not reach it.';
        }
        $wanted = Elf::read($object);
        if ($wanted !== null && $wanted->platform !== $elf->platform) {
            return "is for another processor ($elf->platform) than $object ($wanted->platform).";
        }
        return null;
    }

    /** The loader ignores LD_PRELOAD if a program gets more rights than its caller has: ld.so(8). */
    private static function whyIgnored(string $file): ?string
    {
        $stat = @stat($file);
        $own = Libc::user();
        if ($stat !== false && ($stat['mode'] & self::S_ISUID) !== 0 && $stat['uid'] !== $own['uid']) {
            return 'is setuid: the loader ignores LD_PRELOAD there. Run it as its owner.';
        }
        if ($stat !== false && ($stat['mode'] & self::S_ISGID) === self::S_ISGID && $stat['gid'] !== $own['gid']) {
            return 'is setgid: the loader ignores LD_PRELOAD there.';
        }
        if ($own['uid'] !== 0 && Libc::hasCapabilities($file)) {
            return 'has file capabilities (getcap shows them): the loader ignores LD_PRELOAD there. Run it as root, or '
                . 'give it the capabilities another way: AmbientCapabilities= of systemd.';
        }
        return null;
    }

    /** Asks the loader itself: it may belong to another C library (musl), or to an older one. */
    private static function whyTheLoaderRefuses(string $file, string $object): ?string
    {
        $elf = Elf::read($file);
        $loader = $elf === null ? '' : (string) $elf->loader;
        if (!is_executable($loader)) {
            return null; // the kernel's error will say so
        }
        $environment = ['LD_PRELOAD' => $object] + getenv();
        $process = proc_open([$loader, '--list', $file], [1 => ['pipe', 'w'], 2 => ['redirect', 1]], $pipes, null, $environment);
        if ($process === false) {
            return null; // then the command cannot be started either, and the error says why
        }
        $said = (string) stream_get_contents($pipes[1]);
        $status = proc_close($process);
        // glibc goes on without the object; musl ends with an error.
        if ($status === 0 && preg_match('/^\s*' . preg_quote($object, '/') . '( => .*)? \(0x/m', $said) === 1) {
            return null;
        }
        preg_match('/^.*error.*$/mi', $said, $line);
        return "cannot have $object loaded into it: it is for another C library, or an older one. $loader says: "
            . trim($line[0] ?? $said) . '.';
    }
}
