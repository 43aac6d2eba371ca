<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

/** Self-made certificates, by the openssl program, one set for the whole run. */
final class Certificates
{
    private static ?string $folder = null;

    /** The authority that signed all of them, for the context option cafile. */
    public static function authority(): string
    {
        return self::folder() . '/authority.pem';
    }

    /** Certificate and key for "a.test", "b.test", "::1", or "localhost", the last with both addresses. */
    public static function of(string $name): string
    {
        return self::folder() . "/$name.pem";
    }

    private static function folder(): string
    {
        if (self::$folder !== null) {
            return self::$folder;
        }
        $folder = Folder::create();
        $owner = getmypid();
        register_shutdown_function(static function () use ($folder, $owner): void {
            if (getmypid() === $owner) {
                Folder::remove($folder);
            }
        });
        self::openssl($folder, 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority'
            . ' -keyout authority.key -out authority.pem');
        $names = [
            'localhost' => 'DNS:localhost,IP:127.0.0.1,IP:::1',
            '::1' => 'IP:::1', // PHP 7.4 finds an IPv6 address in the common name only
            'a.test' => 'DNS:a.test',
            'b.test' => 'DNS:b.test',
        ];
        foreach ($names as $name => $alternatives) {
            file_put_contents("$folder/$name.ext", "subjectAltName=$alternatives\n");
            self::openssl($folder, "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$name"
                . " -keyout $name.key -out $name.csr");
            self::openssl($folder, "x509 -req -in $name.csr -CA authority.pem -CAkey authority.key -CAcreateserial"
                . " -days 2 -extfile $name.ext -out $name.crt");
            file_put_contents(
                "$folder/$name.pem",
                file_get_contents("$folder/$name.crt") . file_get_contents("$folder/$name.key")
            );
        }
        return self::$folder = $folder;
    }

    private static function openssl(string $folder, string $arguments): void
    {
        exec('cd ' . escapeshellarg($folder) . " && openssl $arguments 2>&1", $lines, $status);
        if ($status !== 0) {
            throw new \RuntimeException("openssl $arguments failed:\n" . implode("\n", $lines));
        }
    }
}
