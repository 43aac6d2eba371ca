<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

/** The part of FastCGI that is needed to ask PHP-FPM thousands of times; cgi-fcgi would be a process each time. */
final class FastCgi
{
    private const BEGIN_REQUEST = 1;
    private const END_REQUEST = 3;
    private const PARAMS = 4;
    private const STDIN = 5;
    private const STDOUT = 6;

    private string $socket;

    public function __construct(string $socket)
    {
        $this->socket = $socket;
    }

    /** The body of what the script answers. */
    public function get(string $script): string
    {
        $connection = stream_socket_client("unix://$this->socket");
        $parameters = '';
        foreach (['REQUEST_METHOD' => 'GET', 'SCRIPT_FILENAME' => $script] as $name => $value) {
            $parameters .= pack('CN', strlen($name), 0x80000000 | strlen($value)) . $name . $value;
        }
        fwrite($connection, self::record(self::BEGIN_REQUEST, pack('nCx5', 1, 0)) // as a responder, then close
            . self::record(self::PARAMS, $parameters) . self::record(self::PARAMS, '') . self::record(self::STDIN, ''));
        $answer = '';
        do {
            $header = unpack('Cversion/Ctype/nid/nlength/Cpadding', (string) stream_get_contents($connection, 8));
            if ($header === false) {
                throw new \RuntimeException("The connection ended after: $answer");
            }
            $content = $header['length'] > 0 ? (string) stream_get_contents($connection, $header['length']) : '';
            stream_get_contents($connection, $header['padding']);
            $answer .= $header['type'] === self::STDOUT ? $content : '';
        } while ($header['type'] !== self::END_REQUEST);
        return explode("\r\n\r\n", $answer, 2)[1];
    }

    private static function record(int $type, string $content): string
    {
        return pack('CCnnCx', 1, $type, 1, strlen($content), 0) . $content;
    }
}
