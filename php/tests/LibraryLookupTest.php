<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Internal\Declarations;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Folder;
use Keepalive\Tests\Support\KeepaliveTestCase;

/**
 * Where the shared library is looked for, in which order, and the message if it is not found.
 *
 * Each test has a copy of the package in a folder of its own, and no library but what it puts there.
 */
final class LibraryLookupTest extends KeepaliveTestCase
{
    private string $package;

    /** On the search path of the system for the children: a libkeepalive.so.1 that cannot be used. */
    private string $system;

    protected function setUp(): void
    {
        parent::setUp();
        $this->package = $this->folder() . '/package';
        $this->system = $this->folder() . '/system';
        mkdir($this->package);
        mkdir($this->system);
        $php = dirname(__DIR__);
        Folder::copy("$php/src", "$this->package/php/src");
        foreach (['autoload.php', 'constants.php', 'keepalive-ffi.h'] as $file) {
            copy("$php/$file", "$this->package/php/$file");
        }
        $this->compile('int unrelated(void) { return 0; }', "$this->system/libkeepalive.so.1");
    }

    public function testTheDevelopmentBuildComesBeforeTheShippedLibraryAndThatBeforeTheSystems(): void
    {
        $development = $this->library("$this->package/target/release/libkeepalive.so");
        $shipped = $this->library("$this->package/php/lib/linux-" . php_uname('m') . '/libkeepalive.so');
        $this->library("$this->system/libkeepalive.so.1");

        self::assertSame("ffi $development", $this->find());
        unlink($development);
        self::assertSame("ffi $shipped", $this->find());
        unlink($shipped);
        self::assertSame('ffi libkeepalive.so.1', $this->find());
    }

    public function testTheVariableComesBeforeThemAll(): void
    {
        $this->library("$this->package/target/release/libkeepalive.so");
        $chosen = $this->library($this->folder() . '/chosen.so');
        self::assertSame("ffi $chosen", $this->find(['KEEPALIVE_LIBRARY' => $chosen]));
    }

    public function testAnEmptyVariableIsNone(): void
    {
        $development = $this->library("$this->package/target/release/libkeepalive.so");
        self::assertSame("ffi $development", $this->find(['KEEPALIVE_LIBRARY' => '']));
    }

    public function testTheVariableIsTheOnlyPlaceEvenWhereNothingIsThere(): void
    {
        $this->library("$this->package/target/release/libkeepalive.so");
        $this->library("$this->system/libkeepalive.so.1");
        $said = $this->find(['KEEPALIVE_LIBRARY' => '/nonexistent']);
        self::assertStringContainsString('/nonexistent (KEEPALIVE_LIBRARY): no such file', $said);
        self::assertSame(1, preg_match_all('/^  \S+ \(/m', $said), $said);
    }

    public function testTheErrorListsEveryPlaceInOrderAndWhatToDo(): void
    {
        $platform = 'linux-' . php_uname('m');
        $places = '/Tried:
  ' . preg_quote("$this->package/target/release/libkeepalive.so", '/') . ' \(development build\): no such file.*
  ' . preg_quote("$this->package/php/lib/$platform/libkeepalive.so", '/') . ' \(shipped with the package\): no such file.*
  libkeepalive\.so\.1 \(system\): .*ka_.*
Install it \(make install in .*\), or set KEEPALIVE_LIBRARY to its path\.$/';
        self::assertMatchesRegularExpression($places, $this->find());
    }

    public function testAPlaceThatWillNotDoIsPassedOver(): void
    {
        $this->compile('int unrelated(void) { return 0; }', "$this->package/target/release/libkeepalive.so");
        $shipped = $this->library("$this->package/php/lib/linux-" . php_uname('m') . '/libkeepalive.so');
        self::assertSame("ffi $shipped", $this->find());
    }

    public function testTheCurrentFolderIsNoPlace(): void
    {
        $here = $this->folder() . '/here';
        foreach (['libkeepalive.so', 'libkeepalive.so.1', 'target/release/libkeepalive.so'] as $name) {
            $this->library("$here/$name");
        }
        $trace = $this->folder() . '/trace';
        $said = $this->find([], $here, ['strace', '-f', '-qq', '-e', 'trace=open,openat', '-o', $trace]);
        self::assertStringStartsWith('sockets ', $said);
        $opened = (string) file_get_contents($trace);
        self::assertStringContainsString("$this->system/libkeepalive.so.1", $opened, 'the trace saw the search');
        self::assertStringNotContainsString("$here/lib", $opened);
        self::assertDoesNotMatchRegularExpression('/"(\.\/)?(target\/release\/)?libkeepalive/', $opened);
    }

    public function testTheNameWithoutAVersionIsNeverLookedFor(): void
    {
        $this->library("$this->system/libkeepalive.so");
        $trace = $this->folder() . '/trace';
        $said = $this->find([], null, ['strace', '-f', '-qq', '-e', 'trace=open,openat', '-o', $trace]);
        self::assertStringStartsWith('sockets ', $said);
        $opened = (string) file_get_contents($trace);
        self::assertStringContainsString("$this->system/libkeepalive.so.1\"", $opened, 'the trace saw the search');
        self::assertStringNotContainsString('libkeepalive.so"', $opened);
    }

    public function testAnotherProjectsLibraryIsRefusedAndNamed(): void
    {
        // As Debian's libkeepalive0 does; that is its purpose.
        $other = $this->compile(
            'int socket(int a, int b, int c) { (void)a; (void)b; (void)c; return -1; }',
            $this->folder() . '/libkeepalive.so.0'
        );
        $said = $this->find(['KEEPALIVE_LIBRARY' => $other]);
        self::assertMatchesRegularExpression('/^sockets .*Tried:\s+' . preg_quote($other, '/') . ' .*\'ka_\w+\'/s', $said);
    }

    public function testALibraryThatLacksAFunctionIsRefused(): void
    {
        $incomplete = $this->compile(
            'const char *ka_version(void) { return "1.0.0"; }',
            $this->folder() . '/incomplete.so'
        );
        self::assertMatchesRegularExpression(
            "/^sockets .*Failed resolving C function 'ka_(?!version)\w+'/s",
            $this->find(['KEEPALIVE_LIBRARY' => $incomplete])
        );
    }

    public function testAnotherMajorVersionIsRefused(): void
    {
        // Every function of the header, as version 2 might have them.
        $code = "#include <stddef.h>\n#include <stdint.h>\n" . preg_replace_callback(
            '/^(.*\bka_\w+\([^)]*\));$/m',
            static function (array $prototype): string {
                if (strpos($prototype[1], 'struct') === 0) {
                    return preg_replace('/^(struct \w+) .*/', '$0 { static $1 none; return none; }', $prototype[1]);
                }
                return $prototype[1] . (strpos($prototype[1], 'char *') ? ' { return "2.0.0"; }' : ' { return 0; }');
            },
            Declarations::C
        );
        $second = $this->compile($code, $this->folder() . '/libkeepalive.so.2');
        self::assertStringContainsString(
            "$second (KEEPALIVE_LIBRARY): its version is 2.0.0, 1.x is needed",
            $this->find(['KEEPALIVE_LIBRARY' => $second])
        );
        // Only the version was the reason.
        $first = $this->compile(str_replace('2.0.0', '1.9.0', $code), $this->folder() . '/libkeepalive.so.1');
        self::assertSame("ffi $first", $this->find(['KEEPALIVE_LIBRARY' => $first]));
    }

    public function testAFileThatIsNoLibraryIsRefusedAndTheDynamicLinkerSaysWhy(): void
    {
        file_put_contents($text = $this->folder() . '/text.so', 'text');
        self::assertMatchesRegularExpression(
            '/ \(KEEPALIVE_LIBRARY\): Failed loading \S+ \(' . preg_quote($text, '/') . ': file too short\)$/m',
            $this->find(['KEEPALIVE_LIBRARY' => $text])
        );
        self::assertStringContainsString('no such file', $this->find(['KEEPALIVE_LIBRARY' => $this->folder()]));
    }

    public function testWhatARequestBringsAlongIsNotTheEnvironment(): void
    {
        $chosen = $this->library($this->folder() . '/chosen.so');
        $code = 'putenv("KEEPALIVE_LIBRARY"); '
            . '$_SERVER["KEEPALIVE_LIBRARY"] = $_ENV["KEEPALIVE_LIBRARY"] = $_GET["KEEPALIVE_LIBRARY"] = '
            . var_export($chosen, true) . '; ';
        self::assertStringStartsWith('sockets ', $this->find([], null, [], $code));
    }

    public function testUnderOpenBasedirTheMessageSaysSo(): void
    {
        $chosen = $this->library($this->folder() . '/chosen.so');
        $said = $this->find(
            ['KEEPALIVE_LIBRARY' => $chosen],
            null,
            [],
            'ini_set("open_basedir", ' . var_export($this->package, true) . '); '
        );
        self::assertStringContainsString("$chosen (KEEPALIVE_LIBRARY): no such file, or not visible under open_basedir", $said);
    }

    public function testTheErrorHandlerHearsNothingOfOpenBasedir(): void
    {
        $handler = 'set_error_handler(function ($level, $message) { throw new ErrorException($message); }); '
            . 'ini_set("open_basedir", %s); ';
        // Part of the way to the library is hidden, then all of it.
        $development = $this->library("$this->package/target/release/libkeepalive.so");
        $shown = $this->package;
        self::assertSame("ffi $development", $this->find([], null, [], sprintf($handler, var_export($shown, true))));
        $this->library("$this->system/libkeepalive.so.1");
        $shown .= '/php';
        self::assertSame('ffi libkeepalive.so.1', $this->find([], null, [], sprintf($handler, var_export($shown, true))));
    }

    public function testWhereTheMachinesNameIsNotToBeHadTheOtherPlacesCount(): void
    {
        $this->library("$this->system/libkeepalive.so.1");
        $disabled = ['-d', 'disable_functions=php_uname'];
        self::assertSame('ffi libkeepalive.so.1', $this->find([], null, [], '', $disabled));
    }

    /** As in a web server, where the classes are in memory: without a free descriptor no file of them can be read. */
    public function testWhereNoDescriptorIsFreeItIsTriedAgainByTheNextCall(): void
    {
        $chosen = $this->library($this->folder() . '/chosen.so');
        $said = Child::program(
            'library-without-descriptors',
            [],
            ['KEEPALIVE_LIBRARY' => $chosen],
            Child::limitedTo(40),
            [$this->package]
        )->cleanOutput();
        self::assertStringStartsWith("full sockets 42\nfull sockets 42\nKeepalive::sockets() needs FFI", $said);
        self::assertStringContainsString(': Too many open files)', $said);
        self::assertStringEndsWith("\nffi 43", $said);
    }

    public function testWhatDoesNotPassIsTriedOnce(): void
    {
        $library = $this->library($this->folder() . '/library.so');
        $said = Child::php(
            'echo Keepalive\Keepalive::backend(), " ";
            copy(' . var_export($library, true) . ', getenv("KEEPALIVE_LIBRARY"));
            echo Keepalive\Keepalive::backend(), " ", Keepalive\Internal\Library::search()[0]["version"] !== null;',
            [],
            ['KEEPALIVE_LIBRARY' => $this->folder() . '/later.so'],
            null,
            [],
            "$this->package/php/autoload.php"
        );
        self::assertSame('sockets sockets 1', $said->cleanOutput());
    }

    /**
     * In the copied package: the backend, then where the library was found or why it was not.
     *
     * @param array<string, string> $environment
     * @param string[] $before
     * @param string[] $flags
     */
    private function find(
        array $environment = [],
        ?string $folder = null,
        array $before = [],
        string $code = '',
        array $flags = []
    ): string {
        return Child::php(
            $code . 'echo Keepalive\Keepalive::backend(), " ", Keepalive\Keepalive::backend() === "ffi" ? Keepalive\Internal\Library::find() : "";
            if (Keepalive\Keepalive::backend() === "sockets") {
                try { Keepalive\Keepalive::sockets(); } catch (Throwable $e) { echo $e->getMessage(); }
            }',
            array_merge(['-d', 'ffi.enable=1'], $flags),
            $environment + ['KEEPALIVE_LIBRARY' => null, 'LD_LIBRARY_PATH' => $this->system],
            $folder,
            $before,
            "$this->package/php/autoload.php"
        )->cleanOutput();
    }

    /** Puts the real library there. */
    private function library(string $path): string
    {
        if (!is_dir(dirname($path))) {
            mkdir(dirname($path), 0755, true);
        }
        $chosen = getenv('KEEPALIVE_LIBRARY') ?: dirname(__DIR__, 2) . '/target/release/libkeepalive.so';
        self::assertTrue(copy($chosen, $path), 'make build');
        return $path;
    }

    private function compile(string $code, string $path): string
    {
        if (!is_dir(dirname($path))) {
            mkdir(dirname($path), 0755, true);
        }
        file_put_contents($source = $this->folder() . '/source.c', $code);
        $compiler = Child::run(['cc', '-shared', '-fPIC', '-o', $path, $source]);
        self::assertSame(0, $compiler->status, $compiler->errors);
        return $path;
    }
}
