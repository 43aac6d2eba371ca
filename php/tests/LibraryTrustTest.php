<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Folder;
use PHPUnit\Framework\TestCase;

/**
 * A library that other users could replace is not loaded.
 *
 * Each case is a PHP process of its own, because a library is chosen once in a process. The library
 * is a copy of the one that was built, in a folder that only its owner can write to.
 */
final class LibraryTrustTest extends TestCase
{
    private const CLASSES = [
        'Exception/KeepaliveException',
        'Exception/UnavailableException',
        'Exception/SocketException',
        'Internal/Declarations',
        'Internal/Errno',
        'Internal/Library',
        'Internal/Php',
    ];

    private string $folder;
    private string $library;
    private string $sources;

    protected function setUp(): void
    {
        $this->folder = Folder::create();
        chmod($this->folder, 0755);
        $this->library = "$this->folder/libkeepalive.so";
        copy(dirname(__DIR__, 2) . '/target/release/libkeepalive.so', $this->library);
        chmod($this->library, 0644);
        // A copy that all users can read, and only this one can write; a clone may have other modes.
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

    public function testAFileOrFolderThatEveryUserMayWriteIsRefused(): void
    {
        chmod($this->library, 0666);
        self::assertStringContainsString("every user can write to $this->library, ", $this->load());
        chmod($this->library, 0644);
        chmod($this->folder, 0777);
        self::assertStringContainsString("every user can write to $this->folder, ", $this->load());
    }

    /** Debian gives each user a group of its own, and an umask that lets the group write. */
    public function testAFileAndAFolderThatTheirGroupMayWriteAreGoodEnough(): void
    {
        chmod($this->library, 0664);
        chmod($this->folder, 0775);
        self::assertSame("loaded $this->library", $this->load());
    }

    public function testAFolderAboveThatOthersMayWriteIsRefused(): void
    {
        mkdir("$this->folder/inside", 0755);
        rename($this->library, $inside = "$this->folder/inside/libkeepalive.so");
        chmod($this->folder, 0777);
        $said = $this->load($inside);
        unlink($inside);
        rmdir("$this->folder/inside");
        self::assertStringContainsString("every user can write to $this->folder, ", $said);
    }

    public function testAFolderWhereOnlyOwnersMayReplaceTheirFilesIsGoodEnough(): void
    {
        chmod($this->folder, 01777);
        self::assertSame("loaded $this->library", $this->load());
    }

    public function testAFileIsNotProtectedByTheBitThatProtectsWhatIsInAFolder(): void
    {
        chmod($this->library, 01666);
        self::assertStringContainsString("every user can write to $this->library, ", $this->load());
    }

    public function testALinkIsJudgedByWhereItLeads(): void
    {
        symlink($this->library, $link = "$this->folder/link.so");
        self::assertSame("loaded $this->library", $this->load($link));
        chmod($this->library, 0666);
        self::assertStringContainsString("every user can write to $this->library, ", $this->load($link));
    }

    public function testARelativePathIsRefused(): void
    {
        self::assertStringContainsString('not an absolute path', $this->load('./libkeepalive.so'));
        self::assertStringContainsString('not an absolute path', $this->load('libc.so.6'));
    }

    /** @return string "loaded <place>", or what Library::find() threw */
    private function load(?string $library = null): string
    {
        $script = 'foreach (' . var_export(self::CLASSES, true) . ' as $f)'
            . " { require '$this->sources/' . \"\$f.php\"; }"
            . ' try { echo "loaded ", Keepalive\Internal\Library::find(); }'
            . ' catch (Keepalive\Exception\UnavailableException $e) { echo $e->getMessage(); }';
        $environment = ['KEEPALIVE_LIBRARY' => $library ?? $this->library];
        return Child::run([PHP_BINARY, '-d', 'ffi.enable=1', '-r', $script], $environment, '/')->output;
    }
}
