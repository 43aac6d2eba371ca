<?php

declare(strict_types=1);

namespace Keepalive\Tests\Servers;

use Keepalive\Settings;
use Keepalive\Tests\Servers\Support\Clients;
use Keepalive\Tests\Servers\Support\Servers;
use Keepalive\Tests\Servers\Support\TracedProgram;
use Keepalive\Tests\Support\KeepaliveTestCase;
use PHPUnit\Framework\Attributes\DataProvider;

/** The programs in php/examples/recipes work, and every connection they make has keepalive. */
final class RecipesTest extends KeepaliveTestCase
{
    private const FOLDER = __DIR__ . '/../../examples/recipes';

    private static ?Servers $servers = null;

    public static function setUpBeforeClass(): void
    {
        self::$servers = new Servers('127.0.0.1', [], ['mariadb', 'redis', 'rabbitmq', 'rabbitmq-tls', 'https']);
    }

    public static function tearDownAfterClass(): void
    {
        self::$servers = null;
    }

    public function testPdo(): void
    {
        $program = $this->recipe('pdo.php', self::database());
        self::assertSame("42\n", $program->end());
        self::assertAllSet(1, $program, 'mariadb');
    }

    public function testDoctrineAlsoAfterAReconnect(): void
    {
        $program = $this->recipe('doctrine.php', self::database());
        self::assertSame("42\n42\n", $program->end());
        self::assertAllSet(2, $program, 'mariadb');
    }

    public function testPhpredisAlsoAfterAReconnect(): void
    {
        $redis = new \Redis();
        $redis->connect('127.0.0.1', self::$servers->port('redis'));
        $program = $this->recipe('phpredis.php', self::addressOf('redis', 'REDIS'));
        $redis->rPush('jobs', 'first');
        $program->untilItSays('first');
        // Before that, phpredis would connect anew by itself and say nothing.
        $program->until('it to wait for the next job', static function () use ($redis): bool {
            return strpos($redis->rawCommand('CLIENT', 'LIST'), ' flags=b ') !== false;
        });
        self::assertTrue($redis->rawCommand('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes') >= 1);
        $program->until('a second connection', static function () use ($program): bool {
            return count($program->optionsOfConnections(self::$servers->port('redis'))) === 2;
        });
        $redis->rPush('jobs', 'quit');
        self::assertStringEndsWith("trying again\nquit\n", $program->end());
        self::assertAllSet(2, $program, 'redis');
    }

    public function testSymfonyMessenger(): void
    {
        $program = $this->recipe('symfony-messenger.php', self::addressOf('redis', 'REDIS'));
        self::assertSame("done\n", $program->end());
        self::assertAllSet(1, $program, 'redis');
    }

    /** @return array<array{string}> */
    public static function brokers(): array
    {
        return [['rabbitmq'], ['rabbitmq-tls']];
    }

    /** @dataProvider brokers */
    #[DataProvider('brokers')]
    public function testAmqplibAlsoAfterAReconnect(string $server): void
    {
        $environment = self::addressOf($server, 'RABBITMQ')
            + ($server === 'rabbitmq' ? [] : ['RABBITMQ_CA' => self::$servers->authority()]);
        $broker = new \AMQPConnection(['host' => '127.0.0.1', 'port' => self::$servers->port('rabbitmq')]);
        $broker->connect();
        $queue = new \AMQPQueue($channel = new \AMQPChannel($broker));
        $queue->setName("recipe of $server");
        $queue->setFlags(AMQP_EXCLUSIVE); // nobody else's, so that the recipe's connection is closed
        $queue->declareQueue();

        $program = $this->recipe('amqplib.php', $environment, $queue->getName());
        $program->untilItSays('connecting anew');
        $queue->delete();
        $queue->setFlags(AMQP_NOPARAM);
        $queue->declareQueue();
        (new \AMQPExchange($channel))->publish('first', $queue->getName());
        $program->untilItSays("first\n");
        (new \AMQPExchange($channel))->publish('quit', $queue->getName());
        self::assertMatchesRegularExpression('/^((.*), connecting anew\n)+first\nquit\n$/', $program->end());
        self::assertAllSet(substr_count($program->output(), 'connecting anew') + 1, $program, $server);
    }

    public function testGuzzleKeepsOneConnection(): void
    {
        $url = 'https://127.0.0.1:' . self::$servers->port('https') . '/42';
        $program = $this->recipe('guzzle.php', ['URL' => $url, 'URL_CA' => self::$servers->authority()]);
        self::assertSame("42\n42\n", $program->end());
        self::assertAllSet(1, $program, 'https');
    }

    public function testEventLoop(): void
    {
        $server = 'tls://127.0.0.1:' . self::$servers->port('https');
        $program = $this->recipe('event-loop.php', ['SERVER' => $server, 'SERVER_CA' => self::$servers->authority()]);
        self::assertStringContainsString('200 OK', $program->end());
        self::assertStringEndsWith("42the connection is gone\n", $program->output());
        self::assertAllSet(1, $program, 'https');
    }

    public function testEachRecipeIsRunAndDescribed(): void
    {
        $recipes = array_map('basename', glob(self::FOLDER . '/*.php') ?: []);
        $test = (string) file_get_contents(__FILE__);
        $page = (string) file_get_contents(dirname(__DIR__, 3) . '/docs/recipes.md');
        foreach ($recipes as $recipe) {
            self::assertStringContainsString("recipe('$recipe'", $test);
            self::assertStringContainsString("(../php/examples/recipes/$recipe)", $page);
        }
        self::assertSame(count($recipes), preg_match_all('~\(\.\./php/examples/recipes/[\w-]+\.php\)~', $page));
    }

    /** The page shows the lines that matter; they are the files' own. */
    public function testWhatThePageShowsIsInTheRecipes(): void
    {
        $page = (string) file_get_contents(dirname(__DIR__, 3) . '/docs/recipes.md');
        preg_match_all('~\(\.\./php/examples/recipes/([\w-]+\.php)\).*?```php\n(.*?)```~s', $page, $blocks, PREG_SET_ORDER);
        self::assertCount(count(glob(self::FOLDER . '/*.php') ?: []), $blocks);
        foreach ($blocks as [, $recipe, $code]) {
            self::assertStringContainsString($code, (string) file_get_contents(self::FOLDER . "/$recipe"), $recipe);
        }
    }

    /** The table of clients has each client that is tested. */
    public function testThePagesTableHasEveryClient(): void
    {
        $page = (string) file_get_contents(dirname(__DIR__, 3) . '/docs/recipes.md');
        foreach (Clients::names() as $client) {
            self::assertStringContainsString("\n| $client |", $page);
        }
    }

    /** @param array<string, string> $environment */
    private function recipe(string $file, array $environment, string ...$arguments): TracedProgram
    {
        return new TracedProgram(array_merge([self::FOLDER . "/$file"], $arguments), $environment, $this->folder());
    }

    private static function assertAllSet(int $connections, TracedProgram $program, string $server): void
    {
        $wanted = Settings::detectWithin(30);
        $options = [
            'SO_KEEPALIVE' => 1,
            'TCP_KEEPCNT' => $wanted->count(),
            'TCP_KEEPIDLE' => $wanted->idle(),
            'TCP_KEEPINTVL' => $wanted->interval(),
            'TCP_USER_TIMEOUT' => 13000,
        ];
        $all = array_map(static function (array $set) use ($options): array {
            $set = array_intersect_key($set, $options); // clients set TCP_NODELAY and others too
            ksort($set);
            return $set;
        }, $program->optionsOfConnections(self::$servers->port($server)));
        self::assertSame(array_fill(0, $connections, $options), $all, $program->output());
    }

    /** @return array<string, string> */
    private static function database(): array
    {
        return self::addressOf('mariadb', 'DB') + ['DB_USER' => 'root', 'DB_PASSWORD' => ''];
    }

    /** @return array<string, string> */
    private static function addressOf(string $server, string $prefix): array
    {
        return ["{$prefix}_HOST" => '127.0.0.1', "{$prefix}_PORT" => (string) self::$servers->port($server)];
    }
}
