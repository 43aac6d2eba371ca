<?php

declare(strict_types=1);

namespace Preload;

use Keepalive\Tests\Support\Child;
use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/autoload.php';

/** A call that lasts longer than a NAT on the way remembers the connection. */
final class NatTest extends TestCase
{
    public function testASoapCallOutlivesTheMemoryOfANat(): void
    {
        $calls = [dirname(__DIR__, 2) . '/lab/hosts', 'run', __DIR__ . '/programs/soap-call.sh'];
        $said = Child::run($calls, ['OBJECT' => (string) realpath(Program::OBJECT)])->cleanOutput();
        self::assertSame("with: 42\nwithout: Error Fetching http headers\n", $said);
    }
}
