<?php

declare(strict_types=1);

namespace DeadPeer;

/** The TCP segments of one connection, in a capture file of the near host, as tshark sees them. */
final class Wire
{
    private const NEAR = ['192.0.2.1', '2001:db8::1'];
    private const FIELDS = [
        'time' => 'frame.time_epoch',
        'ipv4' => 'ip.src',
        'ipv6' => 'ipv6.src',
        'length' => 'tcp.len',
        'reset' => 'tcp.flags.reset',
        'probe' => 'tcp.analysis.keep_alive',
    ];

    /** @var array<int, array<string, string>> values of FIELDS; one that a segment lacks is '' */
    private array $segments = [];

    private float $zero;

    /**
     * @param float $zero the moment, as microtime(true), from which times are counted
     * @param float $end what passed later does not belong to the case
     */
    public function __construct(string $file, float $zero, float $end)
    {
        $this->zero = $zero;
        // Without the caller's settings; an ICMP message has another header inside.
        $tshark = ['env', '-u', 'XDG_CONFIG_HOME', 'HOME=' . dirname($file), 'nice', '-n', '19', 'tshark'];
        $command = array_merge($tshark, explode(' ', '-n -Y tcp -T fields -E separator=, -E occurrence=f'), ['-r', $file]);
        foreach (self::FIELDS as $field) {
            array_push($command, '-e', $field);
        }
        exec(implode(' ', array_map('escapeshellarg', $command)) . " 2>$file.errors", $lines, $status);
        if ($status !== 0 || $lines === []) {
            throw new \RuntimeException("tshark has not read $file: " . file_get_contents("$file.errors"));
        }
        unlink("$file.errors"); // it warns of being root
        foreach ($lines as $line) {
            $segment = array_combine(array_keys(self::FIELDS), explode(',', $line));
            if ((float) $segment['time'] <= $end) {
                $this->segments[] = $segment;
            }
        }
    }

    /**
     * When keepalive probes left.
     *
     * @return float[]
     */
    public function probes(): array
    {
        // To tshark, a repeated single byte is one, too.
        return $this->times(true, static function (array $segment): bool {
            return $segment['probe'] !== '' && $segment['length'] === '0';
        });
    }

    /**
     * When segments without data arrived, probes' answers among them.
     *
     * @return float[]
     */
    public function answers(): array
    {
        return $this->times(false, static function (array $segment): bool {
            return $segment['length'] === '0' && $segment['reset'] === '0';
        });
    }

    /**
     * When resets passed, sent or received.
     *
     * @return float[]
     */
    public function resets(bool $out): array
    {
        return $this->times($out, static function (array $segment): bool {
            return $segment['reset'] === '1';
        });
    }

    /**
     * When segments with data left, each time they did.
     *
     * @return float[]
     */
    public function data(): array
    {
        return $this->times(true, static function (array $segment): bool {
            return $segment['length'] !== '0';
        });
    }

    /** When the last segment came from the far host; that may be before zero. */
    public function lastHeard(): float
    {
        $heard = array_filter($this->segments, static function (array $segment): bool {
            return !self::isOut($segment);
        });
        return (float) end($heard)['time'] - $this->zero;
    }

    /**
     * Those after zero.
     *
     * @return float[]
     */
    private function times(bool $out, callable $wanted): array
    {
        $times = [];
        foreach ($this->segments as $segment) {
            $time = (float) $segment['time'] - $this->zero;
            if ($time >= 0 && self::isOut($segment) === $out && $wanted($segment)) {
                $times[] = $time;
            }
        }
        return $times;
    }

    /** @param array<string, string> $segment */
    private static function isOut(array $segment): bool
    {
        return in_array($segment['ipv4'] . $segment['ipv6'], self::NEAR, true);
    }
}
