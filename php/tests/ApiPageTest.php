<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Keepalive;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;

/** docs/php-api.md has what the comments in php/src say now. */
final class ApiPageTest extends KeepaliveTestCase
{
    private const DOCS = __DIR__ . '/../../docs';

    public function testThePageIsFreshAndHasEveryMethod(): void
    {
        $page = Child::run([PHP_BINARY, self::DOCS . '/php-api.php'])->cleanOutput();
        self::assertStringEqualsFile(self::DOCS . '/php-api.md', $page, 'Renew it: php docs/php-api.php >docs/php-api.md');

        foreach ((new \ReflectionClass(Keepalive::class))->getMethods(\ReflectionMethod::IS_PUBLIC) as $method) {
            self::assertStringContainsString("### Keepalive::{$method->getName()}()\n", $page);
            foreach ($method->getParameters() as $parameter) {
                self::assertStringContainsString('$' . $parameter->getName(), $page);
            }
        }
    }
}
