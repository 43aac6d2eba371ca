<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\CommandLine\Run\PreloadObject;
use Keepalive\Exception\KeepaliveException;
use Keepalive\Internal\Library;
use Keepalive\Internal\Php;
use Keepalive\Keepalive;

/**
 * Finds out what this PHP can do for keepalive with its present setup, and what is missing.
 *
 * `keepalive doctor` prints it. A web server's PHP can differ from the command line's, so ask there too: echo
 * json_encode(Doctor::report()). It shows paths; keep it from strangers.
 */
final class Doctor
{
    /** The verdict, the result of all checks: keepalive works on every kind of socket; on some; on none. */
    public const EVERYTHING = 'everything';
    public const IN_PART = 'in part';
    public const NOTHING = 'nothing';

    /** The level of a finding: all is well; worth knowing; something does not work because of it. */
    public const FINE = 'fine';
    public const NOTE = 'note';
    public const LIMIT = 'limit';

    /** The folders of libraries, for glob(). */
    private const LIBRARY_FOLDERS = ['/usr/local/lib', '/usr/lib', '/usr/lib/*-linux-*', '/usr/lib64'];

    /** @var array<int, array{about: string, level: string, text: string}> */
    private array $findings = [];

    private function __construct()
    {
    }

    /**
     * The facts by name; "findings" says in sentences what they mean.
     *
     * Opens, and closes, a few sockets on the loopback network; changes nothing.
     *
     * A fact is null if it cannot be found out because of disable_functions; then a finding says so.
     *
     * @return array<string, mixed> verdict, php, extensions, ffi, backend, library, preload,
     *     other_libraries, defaults, sockets, self_test, findings
     */
    public static function report(): array
    {
        $doctor = new self();
        $facts = $doctor->facts();
        return ['verdict' => $doctor->verdict($facts)] + $facts + ['findings' => $doctor->findings];
    }

    /** @return array<string, mixed> */
    private function facts(): array
    {
        $facts = [
            'php' => $this->section('PHP', fn () => $this->php()),
            'extensions' => $this->section('PHP', fn () => $this->extensions()),
            'ffi' => $this->section('FFI', fn () => $this->ffi()),
            'library' => $this->section('Library', fn () => $this->library()),
            'backend' => $this->section('Backend', fn () => $this->backend()),
            'preload' => $this->section('Preload object', fn () => $this->preload()),
        ];
        $tried = $facts['library']['tried'] ?? [];
        $facts['other_libraries'] = $this->section('Other libraries', fn () => $this->otherLibraries($tried));
        $works = $facts['backend'] !== null;
        $facts['defaults'] = $works ? $this->section('Defaults', fn () => $this->defaults()) : null;
        $facts['sockets'] = $facts['backend'] === 'ffi' ? $this->section('Open sockets', fn () => $this->sockets()) : null;
        $facts['self_test'] = [
            'tcp' => $works ? $this->section('Self test', fn () => $this->tcpTest()) : null,
            'tls' => $works ? $this->section('Self test', fn () => $this->tlsTest()) : null,
        ];
        return $facts;
    }

    /**
     * The result of $ask; null if it needs a function that disable_functions has disabled.
     *
     * @template T
     * @param callable(): T $ask
     * @return T|null
     */
    private function section(string $about, callable $ask)
    {
        try {
            return $ask();
        } catch (\Error $missing) {
            $this->found($about, self::LIMIT, "This could not be found out: {$missing->getMessage()}.");
            return null;
        }
    }

    /**
     * The result of a function that some hosting providers disable; if it is disabled, null, and a note.
     *
     * @param mixed ...$arguments
     * @return mixed
     */
    private function ask(string $about, string $function, ...$arguments)
    {
        if (!function_exists($function)) {
            $finding = "disable_functions in php.ini disables $function(), so what it would say is not known.";
            if (!in_array($finding, array_column($this->findings, 'text'), true)) {
                $this->found($about, self::NOTE, $finding);
            }
            return null;
        }
        return Php::quietly(static function () use ($function, $arguments) {
            // It warns of paths that open_basedir hides.
            return $function(...$arguments);
        });
    }

    private function found(string $about, string $level, string $text): void
    {
        $this->findings[] = ['about' => $about, 'level' => $level, 'text' => $text];
    }

    /** @return array<string, mixed> */
    private function php(): array
    {
        $facts = [
            'version' => PHP_VERSION,
            'sapi' => PHP_SAPI,
            'thread_safe' => (bool) PHP_ZTS,
            'system' => PHP_OS,
            'kernel' => $this->ask('PHP', 'php_uname', 'r') ?? 'unknown',
            'machine' => $this->ask('PHP', 'php_uname', 'm') ?? 'unknown',
            'ini_file' => $this->ask('PHP', 'php_ini_loaded_file') ?: null,
        ];
        $this->found('PHP', self::FINE, sprintf(
            'PHP %s, SAPI %s, %s, on %s %s (%s).',
            $facts['version'],
            $facts['sapi'],
            $facts['thread_safe'] ? 'thread safe (ZTS)' : 'not thread safe (NTS)',
            $facts['system'],
            $facts['kernel'],
            $facts['machine']
        ));
        if (PHP_OS_FAMILY !== 'Linux') {
            $this->found('PHP', self::NOTE, 'This package is tested on Linux only.');
        }
        return $facts;
    }

    /** @return array<string, bool> */
    private function extensions(): array
    {
        $uses = [
            'FFI' => 'reaches every kind of socket',
            'sockets' => 'reaches plain TCP streams, and provides Socket objects',
            'openssl' => 'provides TLS streams',
            'Zend OPcache' => 'preloads',
        ];
        $facts = [];
        foreach ($uses as $name => $use) {
            $facts[strtolower($name)] = extension_loaded($name);
            if (!extension_loaded($name)) {
                $this->found('PHP', self::NOTE, "The extension $name, which $use, is not loaded." . self::howToInstall($name));
            }
        }
        $loaded = array_filter(array_keys($uses), 'extension_loaded');
        if ($loaded !== []) {
            $this->found('PHP', self::FINE, 'Extensions loaded: ' . implode(', ', $loaded) . '.');
        }
        return $facts;
    }

    /** OPcache and openssl are part of most PHPs. */
    private static function howToInstall(string $extension): string
    {
        $debian = 'php' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION . '-common';
        $name = strtolower($extension);
        return $name !== 'ffi' && $name !== 'sockets' ? '' : " Debian: $debian has it, phpenmod $name turns it on; Docker images: "
            . "docker-php-ext-install $name, and docs/docker.md says what that needs.";
    }

    /** @return array<string, mixed> */
    private function ffi(): array
    {
        $why = Library::whyNoFfi();
        $problem = $why === null ? null : $why->getMessage();
        $enable = $this->ask('FFI', 'ini_get', 'ffi.enable') ?? false;
        $facts = [
            'usable' => $problem === null,
            'problem' => $problem,
            'enable' => $enable === false ? null : $enable,
            'preload' => $this->ask('FFI', 'ini_get', 'opcache.preload') ?: null,
            'package_preloaded' => $this->isPreloaded(),
        ];
        if ($problem !== null) {
            $this->found('FFI', self::LIMIT, $problem);
            if (PHP_SAPI !== 'cli' && extension_loaded('ffi')) {
                $this->found('FFI', self::NOTE, 'To preload this package, leave ffi.enable at "preload", which is PHP\'s default, and '
                    . 'set opcache.preload=' . dirname(__DIR__) . '/preload.php, or that of a copy of the package if deploys '
                    . 'replace this folder (docs/fpm.md says why); where root starts the server, '
                    . 'opcache.preload_user=www-data, too.');
            }
        } elseif (Library::ffiIsForPreloadedCode()) {
            $this->found('FFI', self::FINE, 'ffi.enable is "preload": this package is preloaded and may use FFI, the '
                . "application's own code may not.");
        } elseif (PHP_SAPI === 'cli') {
            $this->found('FFI', self::FINE, "ffi.enable is \"$enable\": on the command line all code may use FFI. A web "
                . 'server can differ: ask there too, by Keepalive\CommandLine\Doctor::report().');
        } else {
            $this->found('FFI', self::NOTE, "ffi.enable is \"$enable\": all code may use FFI, also the application's own, "
                . 'which can then call any C function. This package needs only "preload", with opcache.preload.');
        }
        return $facts;
    }

    private function isPreloaded(): bool
    {
        $status = extension_loaded('Zend OPcache') ? $this->ask('FFI', 'opcache_get_status', false) : null;
        return in_array(Keepalive::class, $status['preload_statistics']['classes'] ?? [], true);
    }

    /** @return array<string, mixed> */
    private function library(): array
    {
        $facts = ['found_at' => null, 'version' => null, 'needed' => Library::MAJOR . '.x', 'tried' => []];
        if (Library::whyNoFfi() !== null) {
            $this->found('Library', self::NOTE, 'It was not looked for, because FFI cannot be used.');
            return $facts;
        }
        $facts['tried'] = Library::search();
        foreach ($facts['tried'] as $attempt) {
            if ($attempt['problem'] === null) {
                $facts['found_at'] = $attempt['place'];
                $facts['version'] = $attempt['version'];
                $this->found('Library', self::FINE, "Found: {$attempt['place']} ({$attempt['origin']}), version "
                    . "{$attempt['version']}, which fits: $facts[needed] is needed.");
                $this->warnIfReplaceable($attempt['place']);
            } else {
                $this->found('Library', self::NOTE, "Tried {$attempt['place']} ({$attempt['origin']}): $attempt[problem].");
            }
        }
        if ($facts['found_at'] === null) {
            $this->found('Library', self::LIMIT, 'No usable library was found. Install it (make install in the '
                . 'package\'s folder, or the Debian package libkeepalive1), or set KEEPALIVE_LIBRARY to its path.');
        }
        return $facts;
    }

    /** Only with ffi.enable=preload: otherwise all code may use FFI anyway. */
    private function warnIfReplaceable(string $place): void
    {
        $isPath = strpos($place, '/') !== false;
        if (!$isPath || !Library::ffiIsForPreloadedCode()) {
            return;
        }
        if ($this->ask('Library', 'is_writable', $place) || $this->ask('Library', 'is_writable', dirname($place))) {
            $this->found('Library', self::NOTE, "$place can be written by the user that this server runs as: code of the "
                . 'application could put another library there, and so call any C function.');
        }
    }

    private function backend(): ?string
    {
        try {
            $backend = Keepalive::backend();
        } catch (KeepaliveException $neither) {
            $this->found('Backend', self::LIMIT, 'Keepalive cannot be used: FFI or the library is missing, and the extension '
                . 'sockets too.');
            return null;
        }
        if ($backend === 'ffi') {
            $this->found('Backend', self::FINE, 'FFI is used: all of this package works, on every kind of TCP socket.');
        } else {
            $this->found('Backend', self::LIMIT, 'The extension sockets is used instead of FFI: keepalive can be set on plain '
                . 'TCP streams and Socket objects, and by Keepalive::connect() before a TLS handshake. It cannot be set on '
                . 'established TLS streams, filtered streams, descriptor numbers, or connections inside other extensions.');
        }
        return $backend;
    }

    /**
     * libkeepalive-preload.so, with which `keepalive run` starts programs.
     *
     * @return array{object: string|null, variables: array<string, string|null>}
     */
    private function preload(): array
    {
        $about = 'Preload object';
        $object = PreloadObject::loadedInto((string) $this->ask($about, 'file_get_contents', '/proc/self/maps'));
        $variables = [];
        foreach (PreloadObject::VARIABLES as $name) {
            $value = $this->ask($about, 'getenv', $name, true);
            $variables[$name] = is_string($value) ? $value : null;
        }
        $words = [];
        foreach (array_filter($variables) as $name => $value) {
            $words[] = "$name=$value";
        }
        $given = implode(', ', $words);
        if ($object === null && $given === '') {
            $this->found($about, self::FINE, 'This process runs without libkeepalive-preload.so.');
        } elseif ($object === null) {
            $this->found($about, self::NOTE, "The environment has $given, but libkeepalive-preload.so is not loaded into this "
                . 'process, so it does nothing: LD_PRELOAD has to name it when the process starts.');
        } elseif (($variables['LIBKEEPALIVE'] ?? '') === '') {
            $this->found($about, self::NOTE, "$object is loaded, but LIBKEEPALIVE is not set, so it does nothing.");
        } else {
            $this->found($about, self::FINE, "This process runs with $object and $given. What a fresh socket has is below, under "
                . 'Defaults. With LIBKEEPALIVE_TO a socket gets its settings later, when it connects or listens.');
        }
        return ['object' => $object, 'variables' => $variables];
    }

    /**
     * Debian's libkeepalive0 and libdontdie0 turn keepalive on in programs that they are preloaded into.
     *
     * @param array<int, array{place: string, ...}> $tried of Library::search()
     * @return array{installed: string[], loaded: string[], LD_PRELOAD: string|null}
     */
    private function otherLibraries(array $tried): array
    {
        $installed = [];
        foreach (self::LIBRARY_FOLDERS as $folder) {
            foreach (['libkeepalive', 'libdontdie'] as $name) {
                $files = $this->ask('Other libraries', 'glob', "$folder/$name.so*");
                foreach (is_array($files) ? $files : [] as $file) {
                    if (!$this->isOurs($file)) {
                        $installed[] = (string) $file;
                    }
                }
            }
        }
        $maps = (string) $this->ask('Other libraries', 'file_get_contents', '/proc/self/maps');
        preg_match_all('#/\S*/lib(?:keepalive|dontdie)\.so\S*#', $maps, $mapped);
        $ours = array_column($tried, 'place');
        $loaded = array_values(array_filter(array_unique($mapped[0]), function (string $file) use ($ours): bool {
            return !in_array($file, $ours, true) && !$this->isOurs($file);
        }));
        $preload = $this->ask('Other libraries', 'getenv', 'LD_PRELOAD', true);
        $preload = is_string($preload) ? $preload : null;
        if ($installed !== []) {
            $this->found('Other libraries', self::NOTE, 'Another project\'s library of this kind is installed ('
                . implode(', ', $installed) . '). That does no harm: this package loads libkeepalive.so.' . Library::MAJOR
                . ', never libkeepalive.so.');
        }
        if ($loaded !== []) {
            $this->found('Other libraries', self::NOTE, 'Another library that sets keepalive by itself is loaded into this '
                . 'process (' . implode(', ', $loaded) . ($preload === null ? '' : "; LD_PRELOAD is \"$preload\"")
                . '): it may give new sockets its own values, which then look like the system\'s defaults.');
        }
        if ($installed === [] && $loaded === []) {
            $this->found('Other libraries', self::FINE, 'No other library that sets keepalive was found.');
        }
        return ['installed' => $installed, 'loaded' => $loaded, 'LD_PRELOAD' => $preload];
    }

    private function isOurs(string $file): bool
    {
        $major = Library::MAJOR;
        $path = (string) ($this->ask('Other libraries', 'realpath', $file) ?: $file);
        return preg_match("#/libkeepalive\.so\.$major(\.|\$)#", $path) === 1;
    }

    /** @return array<string, mixed>|null */
    private function defaults(): ?array
    {
        try {
            $defaults = Keepalive::defaults();
        } catch (KeepaliveException $exception) {
            $this->found('Defaults', self::LIMIT, $exception->getMessage());
            return null;
        }
        $this->found('Defaults', self::FINE, sprintf(
            'A fresh TCP socket has keepalive %s. If it is turned on without other values, it probes after %d s, then every '
            . '%d s; %d unanswered probes end the connection: a dead peer is noticed after %s.',
            $defaults->enabled() ? 'on' : 'off',
            $defaults->idle(),
            $defaults->interval(),
            $defaults->count(),
            Duration::text((float) $defaults->detectionSeconds())
        ));
        $this->found('Defaults', self::NOTE, 'While data is unacknowledged, there are no probes: without a user timeout '
            . 'Linux waits about 15 minutes. Settings::detectWithin() sets one.');
        return SelfTest::values($defaults);
    }

    /**
     * The sockets that the process has open: in a web server's worker, its persistent connections too.
     *
     * @return array<int, array<string, mixed>>
     */
    private function sockets(): array
    {
        $facts = [];
        foreach (Keepalive::sockets() as $socket) {
            try {
                $settings = Keepalive::settings($socket);
            } catch (KeepaliveException $closedMeanwhile) {
                continue;
            }
            $disagreement = SettingsText::disagreement($settings);
            $facts[] = [
                'fd' => $socket->fd(),
                'local' => $socket->local(),
                'remote' => $socket->remote(),
                'state' => $socket->state(),
                'settings' => SelfTest::values($settings),
                'disagreement' => $disagreement,
            ];
            $name = "Descriptor {$socket->fd()}, {$socket->local()} to {$socket->remote()}";
            if ($disagreement !== null) {
                $this->found('Open sockets', self::NOTE, "$name: $disagreement");
            } elseif (!$settings->enabled() && $socket->state() === 'ESTABLISHED') {
                $this->found('Open sockets', self::NOTE, "$name: keepalive is off.");
            }
        }
        $count = count($facts);
        $this->found('Open sockets', self::FINE, "This process has $count TCP " . ($count === 1 ? 'socket' : 'sockets') . ' open.');
        return $facts;
    }

    /** @return array<string, mixed> */
    private function tcpTest(): array
    {
        return $this->selfTest('TCP', SelfTest::tcp());
    }

    /** @return array<string, mixed>|null */
    private function tlsTest(): ?array
    {
        if (!extension_loaded('openssl')) {
            $this->found('Self test', self::NOTE, 'TLS: not tested, because the extension openssl is not loaded.');
            return null;
        }
        return $this->selfTest('established TLS', SelfTest::tls());
    }

    /**
     * @param array<string, mixed> $result of SelfTest
     * @return array<string, mixed>
     */
    private function selfTest(string $what, array $result): array
    {
        if (!$result['ok']) {
            $this->found('Self test', self::LIMIT, "$what: $result[problem]");
            return $result;
        }
        $kernel = $result['kernel'];
        $timer = $result['timer'];
        $this->found('Self test', self::FINE, sprintf(
            '%s to %s: set, and the kernel reports keepalive %s, idle %d s, interval %d s, count %d, user timeout %s%s.',
            $what,
            $result['peer'],
            $kernel['enabled'] ? 'on' : 'off',
            $kernel['idle'],
            $kernel['interval'],
            $kernel['count'],
            $kernel['user_timeout_ms'] === null ? 'none' : "$kernel[user_timeout_ms] ms",
            $timer === null ? '' : sprintf('; in its table of connections the %s timer fires in %.1f s', $timer['name'], $timer['seconds'])
        ));
        return $result;
    }

    /** @param array<string, mixed> $facts */
    private function verdict(array $facts): string
    {
        $tcp = $facts['self_test']['tcp'];
        $tls = $facts['self_test']['tls'];
        if ($tcp === null || !$tcp['ok']) {
            $this->found('Verdict', self::LIMIT, 'Keepalive does not work in this PHP.');
            return self::NOTHING;
        }
        if ($facts['backend'] !== 'ffi' || ($tls !== null && !$tls['ok'])) {
            $this->found('Verdict', self::LIMIT, 'Keepalive works in part in this PHP.');
            return self::IN_PART;
        }
        $this->found('Verdict', self::FINE, 'Everything works in this PHP.');
        return self::EVERYTHING;
    }
}
