<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Folder;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\WebServer;
use PHPUnit\Framework\Attributes\DataProvider;

/**
 * The package in real web servers: with preloading, and without; what their applications may do.
 *
 * opcache.preload and the rest are set as docs/fpm.md says; ffi.enable is PHP's default, "preload",
 * unless a test sets it.
 */
final class WebServerTest extends KeepaliveTestCase
{
    private ?WebServer $server = null;

    protected function tearDown(): void
    {
        if ($this->server !== null) {
            $this->server->stop();
            $this->server = null;
        }
        parent::tearDown();
    }

    /** @return array<string, array{string, bool}> server, and whether its user starts it, not the superuser */
    public static function servers(): array
    {
        $rows = [];
        foreach ([WebServer::FPM, WebServer::APACHE, WebServer::BUILT_IN] as $kind) {
            $rows["$kind, as any user"] = [$kind, true];
            if (posix_geteuid() === 0 && $kind !== WebServer::BUILT_IN) {
                $rows["$kind, started by root"] = [$kind, false];
            }
        }
        return $rows;
    }

    /** @dataProvider servers */
    #[DataProvider('servers')]
    public function testWithPreloadingEverythingWorks(string $kind, bool $unprivileged): void
    {
        $this->start($kind, $unprivileged, true);
        $report = $this->report();
        self::assertSame('preload', $report['ffi']['enable']);
        self::assertTrue($report['ffi']['package_preloaded']);
        self::assertSame('ffi', $report['backend']);
        self::assertSame('everything', $report['verdict'], json_encode($report['findings']));
        self::assertSame($this->folder() . '/package/target/release/libkeepalive.so', $report['library']['found_at']);
        $sapis = [WebServer::FPM => 'fpm-fcgi', WebServer::APACHE => 'apache2handler', WebServer::BUILT_IN => 'cli-server'];
        self::assertSame($sapis[$kind], $report['php']['sapi']);
    }

    /** @dataProvider servers */
    #[DataProvider('servers')]
    public function testWithoutPreloadingTheSocketsExtensionServesAndItSaysWhy(string $kind, bool $unprivileged): void
    {
        $this->start($kind, $unprivileged, false);
        $report = $this->report();
        self::assertSame(['sockets', 'in part'], [$report['backend'], $report['verdict']]);
        self::assertFalse($report['ffi']['package_preloaded']);
        self::assertStringContainsString('docs/fpm.md has the steps', $report['ffi']['problem']);
        $package = $this->folder() . '/package';
        self::assertStringContainsString("opcache.preload=$package/php/preload.php", implode(array_column($report['findings'], 'text')));
        self::assertTrue($report['self_test']['tcp']['ok']);
        self::assertStringContainsString('docs/fpm.md has the steps', $report['self_test']['tls']['problem']);
    }

    public function testWithFfiForAllCodeItNeedsNoPreloading(): void
    {
        $this->start(WebServer::FPM, true, false, ['ffi.enable' => '1']);
        $report = $this->report();
        self::assertSame(['ffi', 'everything'], [$report['backend'], $report['verdict']]);
        self::assertStringContainsString('can then call any C function', json_encode($report['findings']));
    }

    public function testWhatTheDocumentationSays(): void
    {
        [$ini, $page, $ownPreload] = $this->documented();
        $ini = parse_ini_string($ini);
        self::assertSame(['opcache.preload', 'opcache.preload_user'], array_keys($ini));
        $ini['opcache.preload_user'] = posix_geteuid() === 0 ? WebServer::USER : posix_getpwuid(posix_geteuid())['name'];
        $this->server = new WebServer(WebServer::FPM, $this->folder(), $ini);
        self::assertSame('everything', json_decode($this->server->run("?>$page"), true)['verdict']);
        $this->tearDown();

        // The same with a preload script of the application's own.
        [$ini, $page, $ownPreload] = $this->documented();
        file_put_contents($own = $this->folder() . '/preload.php', $ownPreload);
        $this->start(WebServer::FPM, true, false, ['opcache.preload' => $own]);
        self::assertSame('everything', json_decode($this->server->run("?>$page"), true)['verdict']);
    }

    public function testAReloadEndsPhpFpmIfThePreloadFileIsMissing(): void
    {
        $this->start(WebServer::FPM, true, true);
        self::assertTrue($this->server->survivesAReload());
        self::assertSame('ffi', $this->report()['backend']);
        unlink($this->folder() . '/package/php/preload.php');
        self::assertFalse($this->server->survivesAReload(), 'Then docs/fpm.md can say so.');
        self::assertStringContainsString('preload.php', $this->server->log());
    }

    public function testAnUpdateOfTheCopy(): void
    {
        $update = $this->documented()[3];
        $this->start(WebServer::FPM, true, true);
        Folder::copy($this->folder() . '/package', $this->folder() . '/vendor/libkeepalive/keepalive');
        Child::run(['chmod', '-R', 'a+rX', $this->folder() . '/vendor'])->cleanOutput(); // as Composer has them
        $ask = 'echo Keepalive\Keepalive::backend(), fileinode(Keepalive\Internal\Library::find());';
        $before = $this->server->run($ask);
        [$exchange, $clean] = explode("systemctl reload php8.2-fpm\n", $update);
        Child::run(['sh', '-euc', $exchange], [], $this->folder())->cleanOutput();
        self::assertTrue($this->server->survivesAReload(), $this->server->log());
        Child::run(['sh', '-euc', $clean], [], $this->folder())->cleanOutput();
        $after = $this->server->run($ask);
        self::assertMatchesRegularExpression('/^ffi\d+$/', $after);
        self::assertNotSame($before, $after, 'another file');
        self::assertStringNotContainsString('exited on signal', $this->server->log());
    }

    public function testAPoolCanHaveFfiForItselfOrNotAtAll(): void
    {
        $this->start(WebServer::FPM, true, true, [], 'php_admin_value[ffi.enable] = 0');
        self::assertSame('sockets', $this->report()['backend']);
        $this->tearDown();

        $this->start(WebServer::FPM, true, false, [], 'php_admin_value[ffi.enable] = 1');
        self::assertSame('ffi', $this->report()['backend']);
    }

    /** @dataProvider servers */
    #[DataProvider('servers')]
    public function testTheApplicationsOwnCodeStaysBarredFromFfi(string $kind, bool $unprivileged): void
    {
        $this->start($kind, $unprivileged, true);
        $said = $this->server->run(<<<'PHP'
            echo Keepalive\Keepalive::backend(), ': ';
            try { FFI::cdef('int getpid(void);')->getpid(); echo 'open'; } catch (FFI\Exception $e) { echo $e->getMessage(); }
            // Called by preloaded code, and with nothing declared.
            try { echo Keepalive\Internal\Php::quietly('FFI::cdef')->getpid(); } catch (FFI\Exception $e) { echo "\n", $e->getMessage(); }
            PHP);
        self::assertSame(
            "ffi: FFI API is restricted by \"ffi.enable\" configuration directive\n"
            . "Attempt to call undefined C function 'getpid'",
            $said
        );
    }

    /** By everything that shows objects to an application, except reflection. */
    public function testTheApplicationNeverSeesTheFfiObject(): void
    {
        $this->start(WebServer::FPM, true, true, ['zend.exception_ignore_args' => '0']);
        $said = json_decode($this->answer('looks-for-ffi'), true);
        [$backend, $looks, $leaks, $frames] = $said;
        self::assertSame('ffi', $backend);
        self::assertSame([], $leaks);
        // It did look from inside. The last frame is the output of var_dump() and print_r().
        self::assertGreaterThan(100, $looks);
        self::assertContains('Keepalive\Internal\FfiBackend', $frames);
        self::assertStringNotContainsString('object(FFI)', end($frames));
    }

    /** Reflection reaches the object; docs/fpm.md says which of its methods PHP forbids, and which not. */
    public function testWhatCodeThatMayNotUseFfiCanDoWithTheFfiObject(): void
    {
        $this->start(WebServer::FPM, true, true);
        $said = $this->answer('ffi-object');
        $lines = explode("\n", trim($said));
        self::assertMatchesRegularExpression('/^1\.\d+\.\d+$/', array_shift($lines));
        self::assertStringStartsWith('EBADF: ', array_pop($lines), 'If PHP bars this now, docs/fpm.md can say so.');
        self::assertCount(7, $lines);
        foreach ($lines as $line) {
            self::assertStringEndsWith('FFI API is restricted by "ffi.enable" configuration directive', $line);
        }
    }

    /** @return array<string, array{array<string, string>, string}> */
    public static function preloadOnly(): array
    {
        return [
            "PHP's default" => [[], ''],
            // OPcache compiles the package before the pool's value is known.
            'all code may, but not in this pool' => [['ffi.enable' => '1'], 'php_admin_value[ffi.enable] = preload'],
        ];
    }

    /**
     * @dataProvider preloadOnly
     * @param array<string, string> $ini
     */
    #[DataProvider('preloadOnly')]
    public function testTheApplicationDoesNotChooseTheLibrary(array $ini, string $pool): void
    {
        $this->start(WebServer::FPM, true, true, $ini, $pool);
        $said = $this->answer('chosen-library');
        [$copy, $attempt, $backend, $mapped] = json_decode($said, true);
        self::assertSame(['KEEPALIVE_LIBRARY', $copy], [$attempt['origin'], $attempt['place']]);
        self::assertStringStartsWith('ignored: with ffi.enable=preload', $attempt['problem']);
        self::assertSame('ffi', $backend);
        self::assertFalse($mapped);
    }

    /** Neither by a function of the same name, nor by reflection. */
    public function testTheApplicationDoesNotSteerThePreloadedCode(): void
    {
        $this->start(WebServer::FPM, true, true);
        $said = $this->answer('shadows');
        // The functions that load a library have no parameters.
        $loaders = ['Keepalive\Internal\Library::attempts' => 0, 'Keepalive\Internal\FfiBackend::__construct' => 0];
        self::assertSame(['ffi', [], $loaders], json_decode($said, true));
    }

    public function testEachNewWorkerServes(): void
    {
        $this->start(WebServer::FPM, true, true, [], 'pm.max_requests = 3');
        $workers = [];
        for ($i = 0; $i < 12; $i++) {
            [$backend, $worker] = json_decode($this->server->run('echo json_encode([Keepalive\Keepalive::backend(), getmypid()]);'));
            self::assertSame('ffi', $backend);
            $workers[] = $worker;
        }
        self::assertSame([3, 3, 3, 3], array_values(array_count_values($workers)));
    }

    /** @return array<string, array{bool}> */
    public static function preloading(): array
    {
        return ['preloaded' => [true], 'not preloaded' => [false]];
    }

    /** @dataProvider preloading */
    #[DataProvider('preloading')]
    public function testAWorkersMemoryDoesNotGrowAndTheLibraryStaysMapped(bool $preload): void
    {
        $this->start(WebServer::FPM, true, $preload);
        $request = '$s = stream_socket_server("tcp://127.0.0.1:0"); Keepalive\Keepalive::enable($s, 61, 11, 7);'
            . 'echo getmypid(), " ", Keepalive\Keepalive::settings($s)->idle();';
        [$worker, $idle] = explode(' ', $this->server->runMany($request, 1000));
        self::assertSame('61', $idle);
        $memory = WebServer::memory($worker);
        $mapped = self::mapped($worker);
        $this->server->runMany($request, 6000);
        // KiB: 33 bytes a request, less than an allocation takes. With the JIT it grows once, by 100.
        self::assertLessThanOrEqual($memory + 192, WebServer::memory($worker), 'at request 7,000');
        self::assertSame($mapped, self::mapped($worker), 'the same addresses as after request 1,000');
        self::assertCount($preload ? 1 : 0, array_unique(array_column($mapped, 1)));
    }

    /** @return string[] the blocks of docs/fpm.md, with this test's paths */
    private function documented(): array
    {
        $text = (string) file_get_contents(dirname(__DIR__, 2) . '/docs/fpm.md');
        self::assertSame(4, preg_match_all('/^```\w+\n(.*?)^```$/ms', $text, $blocks));
        return str_replace(
            ['/opt/keepalive', '/srv/app/vendor/autoload.php'],
            [$this->folder() . '/package', $this->folder() . '/package/php/autoload.php'],
            $blocks[1]
        );
    }

    /** @return array<int, array{string, string}> addresses and file, of our library */
    private static function mapped(string $process): array
    {
        $lines = preg_grep('#/libkeepalive\.so$#', file("/proc/$process/maps", FILE_IGNORE_NEW_LINES));
        return array_map(static function (string $line): array {
            return [strtok($line, ' '), (string) strrchr($line, '/')];
        }, array_values($lines));
    }

    /** What a file programs/web-*.php says, after the package's autoloader. */
    private function answer(string $program): string
    {
        copy(__DIR__ . "/programs/web-$program.php", $file = $this->folder() . "/www/$program.inc");
        return $this->server->run('require ' . var_export($file, true) . ';');
    }

    private function start(string $kind, bool $unprivileged, bool $preload, array $ini = [], string $pool = ''): void
    {
        if ($preload) {
            $ini += ['opcache.preload' => $this->folder() . '/package/php/preload.php'];
            if (!$unprivileged) {
                $ini += ['opcache.preload_user' => WebServer::USER];
            }
        }
        $this->server = new WebServer($kind, $this->folder(), $ini, $unprivileged, $pool);
    }

    /** @return array<string, mixed> */
    private function report(): array
    {
        return json_decode($this->server->run('echo json_encode(Keepalive\CommandLine\Doctor::report());'), true);
    }
}
