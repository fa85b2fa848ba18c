<?php
/**
 * Prints what is newer than PHP 7.4 in the files that are given: what this PHP parses, an older one may not.
 */

$tokens = array();
foreach ( array( 'T_MATCH', 'T_NULLSAFE_OBJECT_OPERATOR', 'T_ENUM', 'T_READONLY', 'T_ATTRIBUTE' ) as $name ) {
	if ( defined( $name ) ) {
		$tokens[ constant( $name ) ] = $name;
	}
}
// Functions that came later; WordPress makes up for some, in versions of its own that are newer than what we ask for.
$functions = array( 'str_contains', 'str_starts_with', 'str_ends_with', 'get_debug_type', 'get_resource_id', 'fdiv', 'array_is_list', 'preg_last_error_msg', 'array_find', 'array_any', 'array_all', 'json_validate', 'mb_str_pad' );
$patterns  = array(
	'/function\s+__construct\s*\([^)]*\b(public|private|protected)\b/s' => 'a promoted property',
	'/\):\s*\??(static|mixed|never|null|false|true)\b/'             => 'a return type',
	'/[(,]\s*mixed\s+\$/'                                              => 'the type mixed',
	'/\):\s*\??\\\\?\w+\s*\|\s*\w+/'                                => 'a union type',
	'/[(,]\s*\??\\\\?\w+\s*\|\s*\\\\?\w+\s+\$/'                        => 'a union type',
	'/function\s*\w*\s*\([^()]*,\s*\)/'                                => 'a comma after the last parameter',
	'/\bcatch\s*\(\s*[\\\\\w|\s]+\s*\)/'                               => 'a catch without a variable',
	'/[(,]\s*[a-z_]\w*\s*:(?!:)\s*[^:\s]/i'                            => 'a named argument',
);

foreach ( array_slice( $argv, 1 ) as $file ) {
	$code = '';
	foreach ( token_get_all( file_get_contents( $file ) ) as $token ) {
		if ( is_array( $token ) && isset( $tokens[ $token[0] ] ) ) {
			echo "$file:{$token[2]}: {$tokens[ $token[0] ]}\n";
		}
		if ( is_array( $token ) && T_STRING === $token[0] && in_array( strtolower( $token[1] ), $functions, true ) ) {
			echo "$file:{$token[2]}: {$token[1]}\n";
		}
		// Words in texts and comments are nobody's syntax.
		$is_text = is_array( $token ) && in_array( $token[0], array( T_COMMENT, T_DOC_COMMENT, T_CONSTANT_ENCAPSED_STRING, T_ENCAPSED_AND_WHITESPACE, T_INLINE_HTML ), true );
		$code   .= $is_text ? '""' : ( is_array( $token ) ? $token[1] : $token );
	}
	foreach ( $patterns as $pattern => $what ) {
		if ( preg_match( $pattern, $code, $found ) ) {
			echo "$file: $what: " . trim( $found[0] ) . "\n";
		}
	}
}
