<?php

declare(strict_types=1);

namespace Preload;

use Keepalive\Settings;
use Keepalive\Tests\Servers\Support\Servers;
use Keepalive\Tests\Support\Folder;
use Keepalive\Tests\Support\WebServer;
use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/autoload.php';

/** PHP-FPM as a service, with the Environment= lines of docs/preload.md: what a worker opens. */
final class FpmTest extends TestCase
{
    public function testAWorkersConnections(): void
    {
        $document = (string) file_get_contents(dirname(__DIR__, 2) . '/docs/preload.md');
        preg_match_all('/^Environment=(\w+)=(.*)$/m', $document, $lines);
        $environment = array_combine($lines[1], $lines[2]);
        self::assertSame(['LD_PRELOAD', 'LIBKEEPALIVE'], array_keys($environment));
        self::assertStringEndsWith('/libkeepalive/libkeepalive-preload.so', $environment['LD_PRELOAD']);
        self::assertSame('within=30', $environment['LIBKEEPALIVE']);
        $environment['LD_PRELOAD'] = (string) realpath(Program::OBJECT);
        $promise = Settings::detectWithin(30);
        $options = [
            'on' => 1,
            'idle' => $promise->idle(),
            'interval' => $promise->interval(),
            'count' => $promise->count(),
            'userTimeoutMs' => $promise->userTimeoutMs(),
        ];

        $servers = new Servers('127.0.0.1', [], ['mariadb', 'postgresql']);
        $folder = Folder::create();
        chmod($folder, 0755);
        foreach ($environment as $name => $value) {
            putenv("$name=$value");
        }
        try {
            $fpm = new WebServer(WebServer::FPM, $folder, []);
        } finally {
            array_map('putenv', array_keys($environment));
        }
        try {
            foreach (['mysql' => 'mariadb', 'pgsql' => 'postgresql'] as $driver => $server) {
                $port = $servers->port($server);
                $user = $server === 'mariadb' ? 'root' : 'postgres';
                // It stays open after the request.
                $code = "\$pdo = new PDO('$driver:host=127.0.0.1;port=$port', '$user', '', [PDO::ATTR_PERSISTENT => true]);"
                    . "echo \$pdo->query('SELECT 6 * 7')->fetchColumn();";
                self::assertSame('42', $fpm->run($code));
                self::assertSame([$options], array_values(Outside::connectionsTo($port)));
                Outside::cutAt($port);
                self::assertSame('42', $fpm->run($code), 'opened again');
                self::assertSame([$options], array_values(Outside::connectionsTo($port)));
            }
        } finally {
            $fpm->stop();
            Folder::remove($folder);
        }
    }
}
