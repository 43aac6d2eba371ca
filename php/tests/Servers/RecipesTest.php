<?php

declare(strict_types=1);

namespace Keepalive\Tests\Servers;

use Keepalive\Settings;
use Keepalive\Tests\Servers\Support\Clients;
use Keepalive\Tests\Servers\Support\Servers;
use Keepalive\Tests\Servers\Support\TracedProgram;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use PHPUnit\Framework\Attributes\DataProvider;

/** The programs in php/examples/recipes work, and every connection they make has keepalive. */
final class RecipesTest extends KeepaliveTestCase
{
    private const FOLDER = __DIR__ . '/../../examples/recipes';

    private static ?Servers $servers = null;

    public static function setUpBeforeClass(): void
    {
        $names = array_merge(['mariadb', 'redis', 'rabbitmq', 'rabbitmq-tls', 'https'], Servers::REDIS_CLUSTER);
        self::$servers = new Servers('127.0.0.1', [], $names);
        self::$servers->formRedisCluster();
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

    public function testPdoInTheReadme(): void
    {
        $readme = (string) file_get_contents(dirname(__DIR__, 3) . '/README.md');
        self::assertSame(1, preg_match('/^```php\n(\$pdo = .*?)^```/ms', $readme, $block));
        $port = self::$servers->port('mariadb');
        $script = $this->folder() . '/readme.php';
        file_put_contents($script, "<?php require '" . self::FOLDER . "/../../autoload.php'; [\$user, \$password] = ['root', ''];"
            . strtr($block[1], ['host=db.example' => "host=127.0.0.1;port=$port", '*:3306' => "*:$port"]));
        $program = new TracedProgram([$script], [], $this->folder());
        self::assertSame('', $program->end());
        self::assertAllSet(1, $program, 'mariadb');
    }

    public function testDoctrineAlsoAfterAReconnect(): void
    {
        $program = $this->recipe('doctrine.php', self::database());
        self::assertSame("42\n42\n", $program->end());
        self::assertAllSet(2, $program, 'mariadb');
    }

    /** @return array<string, array{string, array<string, string>, string}> */
    public static function recipesThatEnd(): array
    {
        return [
            'pdo.php' => ['pdo.php', "42\n"],
            'doctrine.php' => ['doctrine.php', "42\n42\n"],
            'symfony-messenger.php' => ['symfony-messenger.php', "done\n"],
            'guzzle.php' => ['guzzle.php', "42\n42\n"],
            'url.php' => ['url.php', "42\n"],
            'redis-cluster.php' => ['redis-cluster.php', "3 nodes\n"],
        ];
    }

    /**
     * In PHP-FPM without preloading, for instance.
     *
     * @dataProvider recipesThatEnd
     */
    #[DataProvider('recipesThatEnd')]
    public function testWithoutFfiItGoesOnAndSaysWhy(string $recipe, string $output): void
    {
        $flags = ['-d', 'ffi.enable=0', '-d', 'log_errors=1', '-d', 'display_errors=0', '-d', 'error_log='];
        $child = Child::run(array_merge([PHP_BINARY], $flags, [self::FOLDER . "/$recipe"]), self::everything());
        self::assertSame(0, $child->status, $child->errors);
        self::assertSame($output, $child->output);
        self::assertMatchesRegularExpression('/^Keepalive was not enabled on .* needs FFI and the shared library/m', $child->errors);
    }

    /**
     * It needs no keepalive, and has no port.
     *
     * @dataProvider recipesForADatabase
     */
    #[DataProvider('recipesForADatabase')]
    public function testAUnixSocketIsNoProblem(string $recipe, string $output): void
    {
        $socket = self::$servers->unixSocket('mariadb');
        $child = Child::run([PHP_BINARY, self::FOLDER . "/$recipe"], [
            'DB_DSN' => "mysql:unix_socket=$socket",
            'DATABASE_URL' => 'mysql://root@localhost/?unix_socket=' . rawurlencode($socket),
        ]);
        self::assertSame($output, $child->cleanOutput());
    }

    /** @return array<string, array{string, string}> */
    public static function recipesForADatabase(): array
    {
        return array_intersect_key(self::recipesThatEnd(), ['pdo.php' => 0, 'doctrine.php' => 0]);
    }

    public function testUrl(): void
    {
        $program = $this->recipe('url.php', self::everything());
        self::assertSame("42\n", $program->end());
        self::assertAllSet(1, $program, 'https');
    }

    public function testRedisCluster(): void
    {
        $program = $this->recipe('redis-cluster.php', self::everything() + ['REDIS_NETWORK' => '127.0.0.0/8']);
        self::assertSame("3 nodes\n", $program->end());
        foreach (Servers::REDIS_CLUSTER as $node) {
            // The first of the seed asks for the nodes, and is closed before anything is set.
            $set = array_filter($program->optionsOfConnections(self::$servers->port($node)), static function (array $set): bool {
                return isset($set['TCP_KEEPIDLE']);
            });
            self::assertSame([['SO_KEEPALIVE' => 1, 'TCP_USER_TIMEOUT' => 13000]], array_map(static function (array $set): array {
                ksort($set);
                return array_intersect_key($set, ['SO_KEEPALIVE' => 0, 'TCP_USER_TIMEOUT' => 0]);
            }, array_values($set)), "$node: {$program->output()}");
        }
    }

    public function testPhpredisAlsoAfterAReconnect(): void
    {
        $redis = new \Redis();
        $redis->connect('127.0.0.1', self::$servers->port('redis'));
        $program = $this->recipe('phpredis.php', self::addressOf('redis', 'REDIS'));
        $redis->rPush('jobs', 'first');
        $program->untilItSays('first');
        // Before that, phpredis would connect again by itself and say nothing.
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
        $program = $this->recipe('symfony-messenger.php', self::everything());
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
        $program->untilItSays('connecting again');
        $queue->delete();
        $queue->setFlags(AMQP_NOPARAM);
        $queue->declareQueue();
        (new \AMQPExchange($channel))->publish('first', $queue->getName());
        $program->untilItSays("first\n");
        (new \AMQPExchange($channel))->publish('quit', $queue->getName());
        self::assertMatchesRegularExpression('/^((.*), connecting again\n)+first\nquit\n$/', $program->end());
        self::assertAllSet(substr_count($program->output(), 'connecting again') + 1, $program, $server);
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

    /** The page shows the important lines; they are the same as in the files. */
    public function testWhatThePageShowsIsInTheRecipes(): void
    {
        $page = (string) file_get_contents(dirname(__DIR__, 3) . '/docs/recipes.md');
        preg_match_all('~\(\.\./php/examples/recipes/([\w-]+\.php)\).*?```php\n(.*?)```~s', $page, $blocks, PREG_SET_ORDER);
        self::assertCount(count(glob(self::FOLDER . '/*.php') ?: []), $blocks);
        foreach ($blocks as [, $recipe, $code]) {
            self::assertStringContainsString($code, (string) file_get_contents(self::FOLDER . "/$recipe"), $recipe);
        }
    }

    /** Each client that is tested is in the page's table. */
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
        $port = self::$servers->port('mariadb');
        return ['DB_DSN' => "mysql:host=127.0.0.1;port=$port", 'DATABASE_URL' => "mysql://root@127.0.0.1:$port/"];
    }

    /** @return array<string, string> what the recipes that end by themselves need */
    private static function everything(): array
    {
        return self::database() + [
            'REDIS_DSN' => 'redis://127.0.0.1:' . self::$servers->port('redis') . '/messages',
            'REDIS_SEED' => '127.0.0.1:' . self::$servers->port('redisnode1'),
            'URL' => 'https://127.0.0.1:' . self::$servers->port('https') . '/42',
            'URL_CA' => self::$servers->authority(),
        ];
    }

    /** @return array<string, string> */
    private static function addressOf(string $server, string $prefix): array
    {
        return ["{$prefix}_HOST" => '127.0.0.1', "{$prefix}_PORT" => (string) self::$servers->port($server)];
    }
}
