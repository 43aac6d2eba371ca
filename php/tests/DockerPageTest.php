<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;

/** What can be checked of docs/docker.md without Docker: its commands as shell, and the ini file that they write. */
final class DockerPageTest extends KeepaliveTestCase
{
    private const DOCS = __DIR__ . '/../../docs';

    public function testTheCommandsAreShell(): void
    {
        foreach (self::dockerfiles() as $dockerfile) {
            foreach (self::commands($dockerfile) as $command) {
                self::assertSame('', Child::run(['sh', '-nc', $command])->cleanOutput());
            }
        }
    }

    public function testTheyWriteTheIniFileThatIsTestedInPhpFpm(): void
    {
        preg_match('/^```ini\n(.*?)^```/ms', (string) file_get_contents(self::DOCS . '/fpm.md'), $tested);
        foreach (self::dockerfiles() as $dockerfile) {
            $commands = self::commands($dockerfile);
            $file = $this->folder() . '/90-keepalive.ini';
            $command = str_replace('/usr/local/etc/php/conf.d/90-keepalive.ini', $file, end($commands), $count);
            self::assertSame(1, $count);
            Child::run(['sh', '-euc', $command])->cleanOutput();
            // No deploy replaces a folder of an image, so the copy in vendor is enough.
            $expected = str_replace('/opt/keepalive/', '/srv/app/vendor/libkeepalive/keepalive/', $tested[1], $count);
            self::assertSame(1, $count);
            self::assertSame($expected, file_get_contents($file));
        }
    }

    /** @return string[] */
    private static function dockerfiles(): array
    {
        preg_match_all('/^```dockerfile\n(.*?)^```/ms', (string) file_get_contents(self::DOCS . '/docker.md'), $blocks);
        self::assertCount(3, $blocks[1]);
        return $blocks[1];
    }

    /** @return string[] */
    private static function commands(string $dockerfile): array
    {
        preg_match_all('/^RUN ((?:.*\\\\\n)*.*)$/m', $dockerfile, $commands);
        return $commands[1];
    }
}
