<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Folder;
use Keepalive\Tests\Support\KeepaliveTestCase;

/** php/preload.php, for opcache.preload; how FPM then behaves is tested elsewhere. */
final class PreloadTest extends KeepaliveTestCase
{
    public function testEveryClassIsPreloadedAndWorks(): void
    {
        $child = Child::program('preloaded', self::preloading());
        [$classes, $preloaded, $backend, $idle, $loadedLater] = json_decode($child->cleanOutput(), true);

        self::assertSame($this->classesOfThePackage(), $classes);
        self::assertTrue($preloaded);
        self::assertSame('ffi', $backend);
        self::assertSame(42, $idle);
        self::assertSame([], $loadedLater, 'no file is read in a request');
    }

    public function testPreloadingLoadsNoLibrary(): void
    {
        $child = Child::php(
            'echo strpos(file_get_contents("/proc/self/maps"), "libkeepalive") === false ? "not loaded" : "loaded";',
            self::preloading(),
            [],
            null,
            [],
            dirname(__DIR__) . '/constants.php'
        );
        self::assertSame('not loaded', $child->cleanOutput());
    }

    public function testItWorksInAFolderWhoseNameIsAPattern(): void
    {
        $folder = Folder::create();
        Folder::copy(dirname(__DIR__) . '/src', "$folder/app[1]/src");
        copy(dirname(__DIR__) . '/preload.php', "$folder/app[1]/preload.php");
        try {
            $child = Child::php(
                'echo class_exists(Keepalive\\Keepalive::class, false) ? "preloaded" : "not preloaded";',
                self::preloading("$folder/app[1]/preload.php"),
                [],
                null,
                [],
                dirname(__DIR__) . '/constants.php'
            );
        } finally {
            Folder::remove($folder);
        }
        self::assertSame('preloaded', $child->cleanOutput());
    }

    /** @return string[] */
    private function classesOfThePackage(): array
    {
        $classes = [];
        foreach (['*.php', 'Exception/*.php', 'Internal/*.php'] as $files) {
            foreach (glob(dirname(__DIR__) . "/src/$files") ?: [] as $file) {
                $classes[] = 'Keepalive' . strtr(substr($file, strlen(dirname(__DIR__) . '/src'), -4), '/', '\\');
            }
        }
        sort($classes);
        return $classes;
    }

    /** @return string[] */
    private static function preloading(string $script = __DIR__ . '/../preload.php'): array
    {
        $flags = [
            '-d', 'opcache.enable_cli=1',
            '-d', "opcache.preload=$script",
        ];
        // PHP preloads for the superuser only when told to.
        return posix_geteuid() === 0 ? array_merge($flags, ['-d', 'opcache.preload_user=root']) : $flags;
    }
}
