<?php

declare(strict_types=1);

namespace Keepalive\Integration\Symfony;

use Keepalive\Keepalive;
use Keepalive\Settings;
use Psr\Log\LoggerInterface;
use Symfony\Component\EventDispatcher\EventSubscriberInterface;
use Symfony\Component\Messenger\Event\WorkerRunningEvent;

/**
 * Symfony Messenger: keepalive on all of the worker's connections, in each turn of its loop.
 *
 * Connections that have the settings are left alone, and no name server is asked. A worker without keepalive is better
 * than no worker: a problem is logged once, and the worker goes on.
 */
final class KeepaliveListener implements EventSubscriberInterface
{
    private ?Settings $settings;
    /** @var string[] */
    private array $addresses;
    private ?LoggerInterface $logger;

    /**
     * @param Settings|null $settings null: 60, 10, 6 as Keepalive::enable()
     * @param string[] $addresses as Keepalive::enableConnectionsTo() takes them: "*:3306", "10.0.0.0/8"; not a host
     *     name, which would be looked up in each turn
     * @param LoggerInterface|null $logger for problems, as warnings; null: PHP's error_log()
     */
    public function __construct(?Settings $settings = null, array $addresses = ['*'], ?LoggerInterface $logger = null)
    {
        $this->settings = $settings;
        $this->addresses = $addresses;
        $this->logger = $logger;
    }

    public function onWorkerRunning(): void
    {
        $report = $this->logger === null ? null : [$this->logger, 'warning'];
        foreach ($this->addresses as $address) {
            Keepalive::tryToEnableConnectionsTo($address, $this->settings, $report);
        }
    }

    /** @return array<string, string> */
    public static function getSubscribedEvents(): array
    {
        return [WorkerRunningEvent::class => 'onWorkerRunning'];
    }
}
