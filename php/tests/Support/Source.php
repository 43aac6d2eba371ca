<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

/** What is in the package's own files. */
final class Source
{
    /**
     * The functions of PHP that a file in php calls, or gives to another by name.
     *
     * @return string[]
     */
    public static function functions(string $file): array
    {
        $functions = [];
        $tokens = array_values(array_filter(
            token_get_all((string) file_get_contents(dirname(__DIR__, 2) . "/$file")),
            static function ($token): bool {
                return !in_array($token[0], [T_WHITESPACE, T_COMMENT, T_DOC_COMMENT], true);
            }
        ));
        $noFunctions = [T_OBJECT_OPERATOR, T_DOUBLE_COLON, T_NEW, T_FUNCTION];
        foreach ($tokens as $at => $token) {
            $next = $tokens[$at + 1] ?? '';
            $isCall = $token[0] === T_STRING && $next === '(' && !in_array($tokens[$at - 1][0], $noFunctions, true);
            $isNamed = $token[0] === T_CONSTANT_ENCAPSED_STRING && ($next === ',' || $next === ')');
            $name = $isNamed ? substr($token[1], 1, -1) : ($isCall ? $token[1] : '');
            if (function_exists($name) && (new \ReflectionFunction($name))->isInternal()) {
                $functions[$name] = $name;
            }
        }
        return array_values($functions);
    }
}
