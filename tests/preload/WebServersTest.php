<?php

declare(strict_types=1);

namespace Preload;

use Keepalive\Settings;
use Keepalive\Tests\Servers\Support\Servers;
use Keepalive\Tests\Support\Folder;
use Keepalive\Tests\Support\WebServer;
use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/autoload.php';

/**
 * PHP in web servers: what a worker opens. PHP-FPM has the Environment= lines of docs/preload.md, and Apache
 * what the document says of it.
 */
final class WebServersTest extends TestCase
{
    private static ?Servers $servers = null;
    private string $folder;
    private ?WebServer $web = null;

    public static function setUpBeforeClass(): void
    {
        self::$servers = new Servers('127.0.0.1', [], ['mariadb', 'postgresql']);
    }

    public static function tearDownAfterClass(): void
    {
        self::$servers = null;
    }

    protected function setUp(): void
    {
        $this->folder = Folder::create();
        chmod($this->folder, 0755);
    }

    protected function tearDown(): void
    {
        if ($this->web !== null) {
            $this->web->stop();
        }
        Folder::remove($this->folder);
    }

    /** @param array<string, string> $variables */
    private function start(string $kind, array $variables): void
    {
        foreach ($variables as $name => $value) {
            putenv("$name=$value");
        }
        try {
            $this->web = new WebServer($kind, $this->folder, []);
        } finally {
            array_map('putenv', array_keys($variables));
        }
    }

    /** What the connection has that a worker opens by PDO, and keeps open after the request. */
    private function connectionOf(string $server): array
    {
        $port = self::$servers->port($server);
        [$driver, $user] = ['mariadb' => ['mysql', 'root'], 'postgresql' => ['pgsql', 'postgres']][$server];
        $code = "\$pdo = new PDO('$driver:host=127.0.0.1;port=$port', '$user', '', [PDO::ATTR_PERSISTENT => true]);"
            . "echo \$pdo->query('SELECT 6 * 7')->fetchColumn();";
        self::assertSame('42', $this->web->run($code));
        $connections = array_values(Outside::connectionsTo($port));
        self::assertCount(1, $connections);
        return $connections[0];
    }

    private static function promise(): array
    {
        $promise = Settings::detectWithin(30);
        return [
            'on' => 1,
            'idle' => $promise->idle(),
            'interval' => $promise->interval(),
            'count' => $promise->count(),
            'userTimeoutMs' => $promise->userTimeoutMs(),
        ];
    }

    public function testPhpFpmAsTheDocumentHasIt(): void
    {
        $document = (string) file_get_contents(dirname(__DIR__, 2) . '/docs/preload.md');
        preg_match_all('/^Environment=(\w+)=(.*)$/m', $document, $lines);
        $variables = array_combine($lines[1], $lines[2]);
        self::assertSame(['LD_PRELOAD', 'LIBKEEPALIVE'], array_keys($variables));
        self::assertStringEndsWith('/libkeepalive/libkeepalive-preload.so', $variables['LD_PRELOAD']);
        self::assertSame('within=30', $variables['LIBKEEPALIVE']);
        $this->start(WebServer::FPM, ['LD_PRELOAD' => (string) realpath(Program::OBJECT)] + $variables);
        foreach (['mariadb', 'postgresql'] as $server) {
            self::assertSame(self::promise(), $this->connectionOf($server), $server);
            Outside::cutAt(self::$servers->port($server));
            self::assertSame(self::promise(), $this->connectionOf($server), "$server, opened again");
        }
    }

    /** PHP in Apache keeps RTLD_DEEPBIND: libpq is reached only where LD_PRELOAD names it too. */
    public function testApache(): void
    {
        $variables = ['LD_PRELOAD' => (string) realpath(Program::OBJECT), 'LIBKEEPALIVE' => 'within=30'];
        $this->start(WebServer::APACHE, $variables);
        self::assertSame(self::promise(), $this->connectionOf('mariadb'));
        self::assertSame(0, $this->connectionOf('postgresql')['userTimeoutMs']);
        $this->web->stop();
        Folder::remove($this->folder);

        $this->setUp();
        $this->start(WebServer::APACHE, ['LD_PRELOAD' => $variables['LD_PRELOAD'] . ':libpq.so.5'] + $variables);
        self::assertSame(self::promise(), $this->connectionOf('postgresql'));
    }
}
