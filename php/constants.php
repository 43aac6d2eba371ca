<?php

/**
 * Defines TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT and TCP_USER_TIMEOUT where PHP lacks them.
 *
 * PHP has the first three since 8.2, and only with ext-sockets. The numbers are those of the
 * system's netinet/tcp.h; a system without such an option gets no constant.
 */

declare(strict_types=1);

(static function (): void {
    $numbers = [
        'Linux' => ['TCP_KEEPIDLE' => 4, 'TCP_KEEPINTVL' => 5, 'TCP_KEEPCNT' => 6, 'TCP_USER_TIMEOUT' => 18],
        'Darwin' => ['TCP_KEEPIDLE' => 0x10, 'TCP_KEEPINTVL' => 0x101, 'TCP_KEEPCNT' => 0x102],
        'FreeBSD' => ['TCP_KEEPIDLE' => 256, 'TCP_KEEPINTVL' => 512, 'TCP_KEEPCNT' => 1024],
        'DragonFly' => ['TCP_KEEPIDLE' => 256, 'TCP_KEEPINTVL' => 512, 'TCP_KEEPCNT' => 1024],
        'NetBSD' => ['TCP_KEEPIDLE' => 3, 'TCP_KEEPINTVL' => 5, 'TCP_KEEPCNT' => 6],
        'Solaris' => ['TCP_KEEPIDLE' => 34, 'TCP_KEEPINTVL' => 36, 'TCP_KEEPCNT' => 35],
        'Windows' => ['TCP_KEEPIDLE' => 3, 'TCP_KEEPINTVL' => 17, 'TCP_KEEPCNT' => 16],
    ];
    // PHP_OS_FAMILY is 'BSD' for systems that number the options differently.
    $system = PHP_OS_FAMILY === 'BSD' ? PHP_OS : PHP_OS_FAMILY;
    foreach ($numbers[$system] ?? [] as $name => $number) {
        if (!defined($name)) {
            define($name, $number);
        }
    }
})();
