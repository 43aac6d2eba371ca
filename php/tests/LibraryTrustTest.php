<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Folder;
use PHPUnit\Framework\TestCase;

/**
 * A library that somebody else could have put there, or could exchange, is not loaded.
 *
 * Each case is a PHP process of its own, because a library is chosen once in a process. The library
 * is a copy of the one that was built, in a folder that only its owner may write to.
 */
final class LibraryTrustTest extends TestCase
{
    private const CLASSES = [
        'Exception/KeepaliveException',
        'Exception/UnavailableException',
        'Internal/Declarations',
        'Internal/Library',
        'Internal/Quietly',
    ];

    private string $folder;
    private string $library;
    private string $sources;

    protected function setUp(): void
    {
        $this->folder = sys_get_temp_dir() . '/keepalive-trust-' . getmypid();
        mkdir($this->folder, 0755);
        chmod($this->folder, 0755);
        $this->library = "$this->folder/libkeepalive.so";
        copy(dirname(__DIR__, 2) . '/target/release/libkeepalive.so', $this->library);
        chmod($this->library, 0644);
        // A copy that other users can read too, and only this one can write: a clone may be neither.
        $this->sources = "$this->folder-src";
        foreach (self::CLASSES as $class) {
            is_dir(dirname("$this->sources/$class")) || mkdir(dirname("$this->sources/$class"), 0755, true);
            copy(dirname(__DIR__) . "/src/$class.php", "$this->sources/$class.php");
            chmod("$this->sources/$class.php", 0644);
        }
    }

    protected function tearDown(): void
    {
        Folder::remove($this->folder);
        Folder::remove($this->sources);
    }

    public function testALibraryThatOnlyItsOwnerMayWriteIsLoaded(): void
    {
        self::assertSame("loaded $this->library", $this->load());
    }

    /**
     * @testWith [true, 511, "every user"]
     *           [true, 509, "group"]
     *           [false, 438, "every user"]
     *           [false, 436, "group"]
     */
    public function testAFileOrFolderThatOthersMayWriteIsRefused(bool $folder, int $mode, string $who): void
    {
        $which = $folder ? $this->folder : $this->library;
        chmod($which, $mode);
        self::assertStringContainsString("$which can be written by $who", $this->load());
    }

    public function testAFolderAboveThatOthersMayWriteIsRefused(): void
    {
        mkdir("$this->folder/inside", 0755);
        rename($this->library, $inside = "$this->folder/inside/libkeepalive.so");
        chmod($this->folder, 0777);
        $said = $this->load($inside);
        unlink($inside);
        rmdir("$this->folder/inside");
        self::assertStringContainsString("$this->folder can be written by every user", $said);
    }

    public function testAFolderWhereOnlyOwnersMayReplaceTheirFilesIsGoodEnough(): void
    {
        chmod($this->folder, 01777);
        self::assertSame("loaded $this->library", $this->load());
    }

    public function testAFileIsNotProtectedByTheBitThatProtectsWhatIsInAFolder(): void
    {
        chmod($this->library, 01666);
        self::assertStringContainsString("$this->library can be written by every user", $this->load());
    }

    /**
     * Whoever may write Library.php decides already what PHP runs.
     *
     * @testWith [436, 436, true]
     *           [438, 438, true]
     *           [438, 436, true]
     *           [436, 438, false]
     */
    public function testWhoMayWriteThePackagesOwnFilesMayWriteTheLibrary(int $own, int $mode, bool $loaded): void
    {
        chmod("$this->sources/Internal/Library.php", $own);
        chmod($this->library, $mode);
        $expected = $loaded ? "loaded $this->library" : "$this->library can be written by every user";
        self::assertStringContainsString($expected, $this->load());
    }

    public function testAnotherGroupThanThatOfThePackagesFilesMayNot(): void
    {
        $this->needsRoot();
        chmod("$this->sources/Internal/Library.php", 0666);
        chmod($this->library, 0664);
        chgrp($this->library, 65534);
        self::assertStringContainsString("$this->library can be written by group 65534", $this->load());
    }

    public function testALinkIsJudgedByWhereItLeads(): void
    {
        symlink($this->library, $link = "$this->folder/link.so");
        self::assertSame("loaded $this->library", $this->load($link));
        chmod($this->library, 0666);
        self::assertStringContainsString("$this->library can be written by every user", $this->load($link));
    }

    public function testAnotherUsersFileIsRefused(): void
    {
        $this->needsRoot();
        chown($this->library, 65534);
        self::assertStringContainsString("$this->library belongs to user 65534", $this->load());
    }

    public function testTheUsersOwnFileIsLoaded(): void
    {
        $this->needsRoot();
        chown($this->folder, 65534);
        chown($this->library, 65534);
        $as = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
        self::assertSame("loaded $this->library", $this->load($this->library, $as));
    }

    /** In a user namespace that has no number for it, where its files belong to "nobody". */
    public function testTheSuperusersFileIsLoadedWhereTheSuperuserHasAnotherNumber(): void
    {
        $this->needsRoot();
        $user = 54321; // owns the package, and is the namespace's root
        Child::run(['chown', '-R', (string) $user, $this->sources]);
        $as = ['setpriv', "--reuid=$user", "--regid=$user", '--clear-groups', 'unshare', '--user', '--map-root-user'];
        $owners = Child::run(array_merge($as, ['stat', '--format=%u', $this->sources, $this->library, '/']));
        self::assertSame("0\n65534\n65534\n", $owners->cleanOutput());
        self::assertSame("loaded $this->library", $this->load($this->library, $as));
    }

    /** Whoever starts a setuid program chooses its environment, but must not choose its code. */
    public function testASetuidProgramIgnoresTheVariable(): void
    {
        $this->needsRoot();
        copy(PHP_BINARY, $php = "$this->folder/php");
        chmod($php, 04755);
        $as = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
        self::assertStringNotContainsString($this->library, $this->load($this->library, $as, $php));
        // The same program without the bit obeys it: the bit made the difference.
        chmod($php, 0755);
        self::assertSame("loaded $this->library", $this->load($this->library, $as, $php));
    }

    public function testARelativePathIsRefused(): void
    {
        self::assertStringContainsString('not an absolute path', $this->load('./libkeepalive.so'));
        self::assertStringContainsString('not an absolute path', $this->load('libc.so.6'));
    }

    private function needsRoot(): void
    {
        if (posix_geteuid() !== 0) {
            self::markTestSkipped('SKIPPED: only the superuser can give files away and start setuid programs');
        }
    }

    /**
     * @param string[] $as a command that starts another
     * @return string "loaded <place>", or what Library::find() threw
     */
    private function load(?string $library = null, array $as = [], string $php = PHP_BINARY): string
    {
        $script = 'foreach (' . var_export(self::CLASSES, true) . ' as $f)'
            . " { require '$this->sources/' . \"\$f.php\"; }"
            . ' try { echo "loaded ", Keepalive\Internal\Library::find(); }'
            . ' catch (Keepalive\Exception\UnavailableException $e) { echo $e->getMessage(); }';
        $command = array_merge($as, [$php, '-d', 'ffi.enable=1', '-r', $script]);
        $process = proc_open($command, [1 => ['pipe', 'w']], $pipes, '/', [
            'KEEPALIVE_LIBRARY' => $library ?? $this->library,
            'PATH' => (string) getenv('PATH'),
        ]);
        self::assertIsResource($process);
        $said = (string) stream_get_contents($pipes[1]);
        proc_close($process);
        return $said;
    }
}
