<?php

/** Runs a file of this folder, if this PHP lacks what its test is about, and prints what it returns. */

declare(strict_types=1);

require __DIR__ . '/../bootstrap.php';

// The second argument is a PHP expression, which is true if it does.
[, $name, $lacks] = $argv;

/** @return array{string, int, string} class, code and message */
function thrown(callable $work): array
{
    try {
        $work();
    } catch (Throwable $thrown) {
        return [get_class($thrown), $thrown->getCode(), $thrown->getMessage()];
    }
    return ['nothing', 0, 'nothing was thrown'];
}

if (!eval("return $lacks;")) {
    exit('This PHP does not lack what the test is about.');
}
echo serialize(require __DIR__ . "/without-$name.php");
