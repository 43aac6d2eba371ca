<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use PHPUnit\Framework\Attributes\Group;

/**
 * The package as Composer installs it, without a network.
 *
 * @group program
 */
#[Group('program')]
final class ComposerTest extends KeepaliveTestCase
{
    private const PACKAGE = __DIR__ . '/../..';

    public function testComposerJsonIsValid(): void
    {
        $said = $this->composer(['validate', '--strict', '--no-interaction', realpath(self::PACKAGE) . '/composer.json']);
        self::assertStringContainsString('is valid', $said);
    }

    public function testAProjectInstallsItFromAPathAndUsesIt(): void
    {
        $project = $this->projectWithThePackage(true);
        self::assertTrue(is_link("$project/vendor/libkeepalive/keepalive"));

        $said = $this->inProject($project, [], '$listener = stream_socket_server("tcp://127.0.0.1:0");
            $stream = stream_socket_client("tcp://" . stream_socket_get_name($listener, false));
            Keepalive\Keepalive::enable($stream, 42, 7, 3);
            $settings = Keepalive\Keepalive::settings($stream);
            echo Keepalive\Keepalive::backend(), " ", $settings->idle(), " ", $settings->detectionSeconds();');

        self::assertSame('ffi 42 63', $said);
        $command = Child::run(["$project/vendor/bin/keepalive", '--version']);
        self::assertStringStartsWith('keepalive 1.', $command->cleanOutput());
    }

    public function testItsConstantsAreThereFromTheAutoloader(): void
    {
        $project = $this->projectWithThePackage(true);
        self::assertSame('4 5 6 18', $this->inProject(
            $project,
            ['-n'],
            'echo TCP_KEEPIDLE, " ", TCP_KEEPINTVL, " ", TCP_KEEPCNT, " ", TCP_USER_TIMEOUT;'
        ));
    }

    public function testACopyWithoutALibraryStillReachesPlainStreams(): void
    {
        $project = $this->projectWithThePackage(false);
        $package = "$project/vendor/libkeepalive/keepalive";
        self::assertFalse(is_link($package));
        self::assertTrue(is_file("$package/php/src/Keepalive.php"));

        $said = $this->inProject($project, [], '$stream = stream_socket_server("tcp://127.0.0.1:0");
            Keepalive\Keepalive::enable($stream, 42, 7, 3);
            echo Keepalive\Keepalive::backend(), " ", Keepalive\Keepalive::settings($stream)->idle();', '/nonexistent');

        self::assertSame('sockets 42', $said);
    }

    /** A project that requires the package, from this checkout, or from a copy of its files. */
    private function projectWithThePackage(bool $linked): string
    {
        $package = (string) realpath(self::PACKAGE);
        $project = $this->folder() . '/project';
        mkdir($project);
        if (!$linked) {
            $copy = $this->folder() . '/package';
            mkdir($copy);
            copy("$package/composer.json", "$copy/composer.json");
            Support\Folder::copy("$package/php", "$copy/php");
            $package = $copy;
        }
        file_put_contents("$project/composer.json", json_encode([
            'repositories' => [
                ['type' => 'path', 'url' => $package, 'options' => ['symlink' => $linked]],
                ['packagist' => false],
            ],
            'require' => ['libkeepalive/keepalive' => '*@dev'],
        ]));
        $this->composer(['install', '--no-dev', '--no-interaction', "--working-dir=$project"]);
        self::assertFileExists("$project/vendor/autoload.php");
        return $project;
    }

    /** @param string[] $arguments */
    private function composer(array $arguments): string
    {
        $composer = Child::run(array_merge(['composer'], $arguments), [
            'COMPOSER_DISABLE_NETWORK' => '1',
            'COMPOSER_ALLOW_SUPERUSER' => '1',
            'COMPOSER_HOME' => $this->folder() . '/composer-home',
        ]);
        self::assertSame(0, $composer->status, $composer->output . $composer->errors);
        self::assertStringNotContainsStringIgnoringCase('warning', $composer->output . $composer->errors);
        return $composer->output . $composer->errors;
    }

    /** @param string[] $flags */
    private function inProject(string $project, array $flags, string $code, ?string $library = null): string
    {
        $environment = $library === null ? [] : ['KEEPALIVE_LIBRARY' => $library];
        return Child::php($code, $flags, $environment, $project, [], "$project/vendor/autoload.php")->cleanOutput();
    }
}
