<?php

declare(strict_types=1);

namespace DeadPeer;

/**
 * The TCP segments of one connection, read from a capture file (pcap, Ethernet) of the near host.
 */
final class Wire
{
    private const NEAR = ["\xC0\x00\x02\x01", "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01"];
    private const SYN_OR_FIN = 3;
    private const RST = 4;
    private const ACK = 16;

    /** @var array<int, array{time: float, out: bool, sequence: int, flags: int, length: int}> */
    private array $segments = [];

    public function __construct(string $file)
    {
        $capture = (string) file_get_contents($file);
        if (substr($capture, 0, 4) !== "\xD4\xC3\xB2\xA1") {
            throw new \RuntimeException("$file is no capture of this machine (pcap, microseconds, little endian)");
        }
        for ($at = 24; strlen($capture) >= $at + 16; $at += 16 + $record['captured']) {
            $record = unpack('Vseconds/Vmicroseconds/Vcaptured', $capture, $at);
            $segment = self::segment(substr($capture, $at + 16, $record['captured']));
            if ($segment !== null) {
                $this->segments[] = ['time' => $record['seconds'] + $record['microseconds'] / 1e6] + $segment;
            }
        }
    }

    /**
     * When keepalive probes left: empty segments from before what was last sent.
     *
     * @return float[]
     */
    public function probes(float $since): array
    {
        $probes = [];
        $next = null;
        foreach ($this->segments as $segment) {
            if (!$segment['out']) {
                continue;
            }
            if ($segment['flags'] === self::ACK && $segment['length'] === 0 && $segment['sequence'] === $next - 1) {
                $probes[] = $segment['time'];
                continue;
            }
            $length = $segment['length'] + ($segment['flags'] & self::SYN_OR_FIN ? 1 : 0);
            $next = max($next ?? 0, $segment['sequence'] + $length);
        }
        return self::since($since, $probes);
    }

    /**
     * When empty acknowledgements arrived.
     *
     * @return float[]
     */
    public function answers(float $since): array
    {
        return $this->times($since, false, static function (array $segment): bool {
            return $segment['flags'] === self::ACK && $segment['length'] === 0;
        });
    }

    /**
     * When resets passed, sent or received.
     *
     * @return float[]
     */
    public function resets(float $since, bool $out): array
    {
        return $this->times($since, $out, static function (array $segment): bool {
            return ($segment['flags'] & self::RST) !== 0;
        });
    }

    /**
     * When segments with data left, each time they did.
     *
     * @return float[]
     */
    public function data(float $since): array
    {
        return $this->times($since, true, static function (array $segment): bool {
            return $segment['length'] > 0;
        });
    }

    /** @return float[] */
    private function times(float $since, bool $out, callable $wanted): array
    {
        $segments = array_filter($this->segments, static function (array $segment) use ($out, $wanted): bool {
            return $segment['out'] === $out && $wanted($segment);
        });
        return self::since($since, array_column($segments, 'time'));
    }

    /**
     * @param float[] $times
     * @return float[] in seconds after $since
     */
    private static function since(float $since, array $times): array
    {
        $after = [];
        foreach ($times as $time) {
            if ($time >= $since) {
                $after[] = round($time - $since, 3);
            }
        }
        return $after;
    }

    /** @return array{out: bool, sequence: int, flags: int, length: int}|null null for what is not TCP */
    private static function segment(string $frame): ?array
    {
        $type = substr($frame, 12, 2);
        $packet = substr($frame, 14);
        if ($type === "\x08\x00" && $packet[9] === "\x06") {
            $source = substr($packet, 12, 4);
            $header = 4 * (ord($packet[0]) & 15);
            $end = unpack('n', $packet, 2)[1];
        } elseif ($type === "\x86\xDD" && $packet[6] === "\x06") {
            $source = substr($packet, 8, 16);
            $header = 40;
            $end = 40 + unpack('n', $packet, 4)[1];
        } else {
            return null;
        }
        $tcp = unpack('Nsequence/Nacknowledged/Coffset/Cflags', $packet, $header + 4);
        return [
            'out' => in_array($source, self::NEAR, true),
            'sequence' => $tcp['sequence'],
            'flags' => $tcp['flags'],
            'length' => $end - $header - 4 * ($tcp['offset'] >> 4),
        ];
    }
}
