<?php

declare(strict_types=1);

namespace Keepalive\Integration\Doctrine;

use Doctrine\DBAL\Driver;
use Doctrine\DBAL\Driver\Middleware;
use Keepalive\Settings;
use Psr\Log\LoggerInterface;

/**
 * Doctrine DBAL 3.3 and newer: keepalive on every connection that it opens, reconnects and replicas included.
 *
 *     $configuration->setMiddlewares([new KeepaliveMiddleware(Settings::detectWithin(30))]);
 */
final class KeepaliveMiddleware implements Middleware
{
    private ?Settings $settings;
    private ?LoggerInterface $logger;

    /**
     * @param Settings|null $settings null: 60, 10, 6 as Keepalive::enable()
     * @param LoggerInterface|null $logger for problems, as warnings; null: PHP's error_log()
     */
    public function __construct(?Settings $settings = null, ?LoggerInterface $logger = null)
    {
        $this->settings = $settings;
        $this->logger = $logger;
    }

    public function wrap(Driver $driver): Driver
    {
        return new KeepaliveDriver($driver, $this->settings ?? Settings::of(60, 10, 6), $this->logger);
    }
}
