<?php
/**
 * php sign.php <folder of the plugin> <secret> <customer> <now> <body>: a token, and the headers of a message.
 */

namespace Laurel\Loyalty;

require __DIR__ . '/wordpress.php';
const VERSION = '0.1.0';
require $argv[1] . '/includes/class-token.php';
require $argv[1] . '/includes/class-sender.php';

echo json_encode(
	array(
		'token'   => Token::make( (int) $argv[3], $argv[2], (int) $argv[4] ),
		'headers' => Sender::headers( 'order.updated', $argv[5], $argv[2], 'https://shop.example/', 'laurel-1-1-1' ),
	)
);
