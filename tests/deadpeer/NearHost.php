<?php

declare(strict_types=1);

namespace DeadPeer;

use Keepalive\Keepalive;

/**
 * Plays a scenario for real: a method for each step, as KernelRules has.
 */
final class NearHost
{
    private const HOSTS = __DIR__ . '/../../lab/hosts';
    private const NEAR = [4 => '192.0.2.1', 6 => '2001:db8::1'];
    private const FAR = [4 => '192.0.2.2', 6 => '2001:db8::2'];

    /** Seconds that tcpdump may take to write what it has captured. */
    private const PATIENCE = 30;

    /** @var array{program: string, tls: bool, noDelay: bool, ip: int, waits: string} */
    private array $case;

    /** Where the certificate and the compiled near.c are. */
    private string $directory;

    private ?Program $program = null;

    /** @var resource listening */
    private $listener;

    /** @var resource[] of the far host's processes */
    private array $processes = [];

    /** When the network changed, as microtime(true). */
    public float $zero = 0;

    /** Seconds from then until the program was told that the connection had ended; null if it was not. */
    public ?float $seen = null;

    /** @var float[] of the steps, as microtime(true) */
    private array $times = [];

    /** @param array{program: string, tls: bool, noDelay: bool, ip: int, waits: string} $case */
    public function __construct(array $case, string $directory)
    {
        $this->case = $case;
        $this->directory = $directory;
    }

    public function play(Scenario $scenario, float $horizon): void
    {
        foreach ($scenario->steps as $index => $step) {
            $isBefore = in_array($step['do'], ['delay', 'nat', 'listen', 'connect'], true);
            if ($this->program === null && $this->listener === null && !$isBefore) {
                $this->program = $this->connectToFar();
            }
            if ($index === $scenario->zero) {
                $this->zero = microtime(true);
            }
            if ($step['timed'] && $this->endsBefore($step['at'])) {
                return;
            }
            $before = microtime(true);
            $this->{$step['do']}(...$step['arguments']);
            // A change of the network takes a moment, and has effect at the end of it.
            $time = in_array($step['do'], ['write', 'fill', 'ask'], true) ? $before : microtime(true);
            $this->times[] = $time;
        }
        $this->endsBefore($horizon);
    }

    /**
     * When the steps were, in seconds after the network changed.
     *
     * @return float[]
     */
    public function times(): array
    {
        return array_map(function (float $time): float {
            return $time - $this->zero;
        }, $this->times);
    }

    /**
     * Waits until tcpdump, which may be late on a busy machine, has written all that passed before this call.
     *
     * @return float when that was, as microtime(true)
     */
    public function endOfCapture(string $file): float
    {
        $end = microtime(true);
        $this->network('restore'); // so that a packet can leave after every change of the network
        $marker = 'end of capture ' . bin2hex(random_bytes(8));
        $socket = stream_socket_client('udp://' . self::FAR[4] . ':9');
        while (strpos((string) file_get_contents($file), $marker) === false) {
            if (microtime(true) - $end > self::PATIENCE) {
                throw new \RuntimeException("tcpdump does not write to $file");
            }
            @fwrite($socket, $marker); // an error is that the far host does not take the last one
            usleep(20000);
        }
        return $end;
    }

    /** @return array<string, string> */
    public function told(): array
    {
        return $this->program === null ? [] : $this->program->told();
    }

    public function error(): int
    {
        return $this->program === null ? 0 : $this->program->error();
    }

    private function endsBefore(float $seconds): bool
    {
        $time = $this->zero + $seconds;
        if ($this->program === null) {
            time_sleep_until($time);
        } elseif ($this->program->waitUntil($time)) {
            $this->seen = microtime(true) - $this->zero;
        }
        return $this->seen !== null;
    }

    private function connectToFar(): Program
    {
        $protocol = $this->case['tls'] ? 'tls' : 'tcp';
        $port = (int) $this->far('serve', $protocol, "$this->directory/certificate.pem");
        $address = self::FAR[$this->case['ip']];
        switch ($this->case['program']) {
            case 'c':
                return new CProgram("$this->directory/near", $address, $port);
            case 'socket':
                return new SocketProgram($address, $port);
        }
        $host = $this->case['ip'] === 6 ? "[$address]" : $address;
        return StreamProgram::connect("$protocol://$host:$port", $this->case['waits'], $this->case['noDelay']);
    }

    /** Starts far.php on the far host, and returns its first line. */
    private function far(string ...$arguments): string
    {
        $command = array_merge([self::HOSTS, 'far', PHP_BINARY, __DIR__ . '/far.php'], $arguments);
        $this->processes[] = proc_open($command, [['file', '/dev/null', 'r'], ['pipe', 'w']], $pipes);
        $this->processes[] = $pipes[1];
        $line = fgets($pipes[1]);
        if ($line === false) {
            throw new \RuntimeException('the far host did not start: far.php ' . implode(' ', $arguments));
        }
        return trim($line);
    }

    private function network(string ...$arguments): void
    {
        exec(implode(' ', array_map('escapeshellarg', array_merge([self::HOSTS], $arguments))) . ' 2>&1', $output, $status);
        if ($status !== 0) {
            throw new \RuntimeException('hosts ' . implode(' ', $arguments) . ': ' . implode("\n", $output));
        }
    }

    private function enable(string ...$arguments): void
    {
        $this->program->enable(...Scenario::values('enable', $arguments));
    }

    private function within(string $seconds): void
    {
        $this->program->enable(...Scenario::values('within', [$seconds]));
    }

    private function system(string ...$values): void
    {
        foreach (array_combine(['time', 'intvl', 'probes'], $values) as $name => $value) {
            // The kernel shows each process the file of its own network namespace.
            file_put_contents("/proc/sys/net/ipv4/tcp_keepalive_$name", $value);
        }
    }

    private function disable(): void
    {
        $this->program->disable();
    }

    private function write(): void
    {
        $this->program->write('x');
    }

    private function fill(): void
    {
        $this->program->write("stall\n");
        $full = 0;
        while ($full < 20) {
            $full = $this->program->write(str_repeat('x', 65536)) === 0 ? $full + 1 : 0;
            usleep($full > 0 ? 10000 : 0);
        }
    }

    private function listen(string ...$arguments): void
    {
        if ($this->listener === null) {
            $this->listener = stream_socket_server('tcp://' . self::NEAR[4] . ':0');
        }
        Keepalive::enable($this->listener, ...Scenario::values('listen', $arguments));
    }

    private function connect(): void
    {
        $this->far('connect', stream_socket_get_name($this->listener, false));
    }

    private function accept(): void
    {
        $stream = stream_socket_accept($this->listener);
        fgets($stream); // the greeting
        $this->program = new StreamProgram($stream, $this->case['waits']);
    }

    private function ask(string $what): void
    {
        $this->program->write("$what\n");
    }

    /** The connection does not end in this time, and what arrives is read later. */
    private function wait(string $milliseconds): void
    {
        usleep(1000 * (int) $milliseconds);
    }

    private function lose(string $percent): void
    {
        $this->network('lose', $percent);
    }

    private function delay(string $milliseconds): void
    {
        $this->network('delay', $milliseconds);
    }

    private function nat(string $seconds): void
    {
        $this->network('nat', $seconds);
    }

    private function cut(): void
    {
        $this->network('cut');
    }

    private function reject(string $reason): void
    {
        $this->network('reject', $reason);
    }

    private function vanish(): void
    {
        $this->network('vanish');
    }

    private function unplug(): void
    {
        $this->network('unplug');
    }

    private function down(): void
    {
        $this->network('down');
    }

    private function restore(): void
    {
        $this->network('restore');
    }

    private function reboot(): void
    {
        $this->network('reboot');
    }
}
