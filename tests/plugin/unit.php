<?php
/**
 * The plugin's plain parts under real PHP: php unit.php <folder of the plugin>. A line for each test; 1 if one fails.
 */

namespace Laurel\Loyalty;

use WC_Coupon;
use WC_Order;
use World;

error_reporting( E_ALL );
set_error_handler(
	static function ( $kind, $text, $file, $line ) {
		throw new \ErrorException( $text, 0, $kind, $file, $line );
	}
);
require __DIR__ . '/wordpress.php';
const VERSION = '0.1.0';

/** The outbox in memory; the real one is a table, tried on a real shop. */
final class Outbox {
	public static $rows  = array();
	public static $state = array(
		'sent'       => 0,
		'down_until' => 0,
		'error'      => '',
	);
	public static function prune( $now ) {
	}
	public static function due( $now, $limit ) {
		return array_slice( self::$rows, 0, $limit );
	}
	public static function next_at() {
		return self::$rows ? 1 : 0;
	}
	public static function done( $row ) {
		self::$rows = array_values( array_filter( self::$rows, static fn( $one ) => $one->ref !== $row->ref ) );
	}
	public static function failed( $row, $error, $now ) {
		$row->attempts  += 1;
		$row->last_error = $error;
	}
	public static function again( $now ) {
		self::$state['down_until'] = 0;
		self::$state['again']      = true;
	}
	public static function state() {
		return self::$state;
	}
	public static function note( $changes ) {
		self::$state = array_merge( self::$state, $changes );
	}
}

final class Messages {
	public static function of( $kind, $ref ) {
		return 404 === $ref ? null : array( 'order.updated', array( 'id' => $ref ) );
	}
}

final class Plugin {
	public static function pages_changed() {
	}
}

final class Changes {
	const TAG = '_laurel_tag';
}

foreach ( array( 'connection', 'token', 'sender', 'lines', 'privacy', 'codes' ) as $part ) {
	require $argv[1] . '/includes/class-' . $part . '.php';
}

function same( $expected, $found ): void {
	if ( $expected !== $found ) {
		throw new \Exception( 'expected ' . var_export( $expected, true ) . ', found ' . var_export( $found, true ) );
	}
}

function told( array $changes = array() ): array {
	return array_merge(
		array(
			'server'          => 'https://laurel.example',
			'shop_key'        => 'fern',
			'webhook_address' => 'https://laurel.example/webhooks/woocommerce/fern',
			'webhook_secret'  => 'a-webhook-secret-long-enough',
			'widget_secret'   => 'a-widget-secret-long-enough',
		),
		$changes
	);
}

function connect(): void {
	Connection::expect( 'https://laurel.example', 1000 );
	same( '', Connection::accept( told(), 7, 1060 ) );
}

function wait_in_outbox( int ...$refs ): void {
	Outbox::$rows  = array();
	Outbox::$state = array(
		'sent'       => 0,
		'down_until' => 0,
		'error'      => '',
	);
	foreach ( $refs as $ref ) {
		Outbox::$rows[] = (object) array(
			'id'         => $ref,
			'kind'       => 'order',
			'changes'    => 1,
			'changed_at' => 1000,
			'ref'        => $ref,
			'attempts'   => 0,
			'last_error' => '',
		);
	}
}

/** What a shopper reads who types a coupon of ours that is kept with 5.00 off; empty: it is taken. */
function said_of( WC_Coupon $coupon, string $currency, $discounts = null ): string {
	World::$options['woocommerce_currency'] = 'USD';
	World::$currency                        = $currency;
	World::$meta                            = World::$meta + array(
		'_laurel_tag'   => 'laurel:5f1c',
		'coupon_amount' => '5.00',
	);
	try {
		same( true, Codes::is_valid( true, $coupon, $discounts ) );
	} catch ( \ErrorException $error ) {
		throw $error;
	} catch ( \Exception $error ) {
		return 0 === strpos( $error->getMessage(), 'This code counts in USD' ) ? 'refused' : $error->getMessage();
	}
	return '';
}

$tests = array(
	'an amount is not taken for as much of another currency'  => static function () {
		$code = new WC_Coupon( 'fixed_cart', '5' );
		same( array( '', 'refused' ), array( said_of( $code, 'USD' ), said_of( $code, 'JPY' ) ) );
		same( array( '', 'refused' ), array( said_of( $code, 'JPY', new WC_Order( 'USD' ) ), said_of( $code, 'USD', new WC_Order( 'JPY' ) ) ) );
		World::$meta['minimum_amount'] = '50.00';
		same( array( '', 'refused' ), array( said_of( new WC_Coupon( 'percent', '10', '50' ), 'USD' ), said_of( new WC_Coupon( 'percent', '10', '50' ), 'JPY' ) ) );
	},
	'a plugin that converts the amount is believed'           => static function () {
		World::$meta['minimum_amount'] = '50.00';
		same( '', said_of( new WC_Coupon( 'fixed_cart', 775.5, '7755' ), 'JPY' ) );
		same( 'refused', said_of( new WC_Coupon( 'fixed_cart', 775.5, '50' ), 'JPY' ) ); // all of it, or it is refused.
	},
	'a percentage, and free shipping, are the same everywhere' => static function () {
		same( '', said_of( new WC_Coupon( 'percent', '5.00' ), 'JPY' ) );
		World::$meta['coupon_amount'] = '0';
		same( '', said_of( new WC_Coupon( 'fixed_cart', '0', '' ), 'JPY' ) );
	},
	'a code of the shop\'s own is not ours to judge'          => static function () {
		World::$meta = array( '_laurel_tag' => '' );
		same( '', said_of( new WC_Coupon( 'fixed_cart', '5' ), 'JPY' ) );
		same( false, Codes::is_valid( false, new WC_Coupon( 'fixed_cart', '5' ) ) );
	},
	'a server is kept without its slash and case'             => static function () {
		same( 'https://laurel.example', Connection::server_of( ' HTTPS://Laurel.Example/ ' ) );
		same( 'https://laurel.example:8443/points', Connection::server_of( 'laurel.example:8443/points/' ) );
		same( 'http://127.0.0.1:8000', Connection::server_of( 'http://127.0.0.1:8000' ) );
	},
	'what is no server is none'                               => static function () {
		foreach ( array( '', 'javascript:alert(1)', 'https://a:b@c.example', 'https://x.example/?a=1', 'https://x.example/#a', 'ftp://x.example', 'https://x.example/<b>', '//', "https://x.example\n/evil" ) as $typed ) {
			same( '', Connection::server_of( $typed ) );
		}
	},
	'nobody introduces himself before a server is named'      => static function () {
		same( 'laurel_not_expected', Connection::accept( told(), 7, 1000 ) );
		same( false, Connection::is_connected() );
	},
	'another server than the named one is refused'            => static function () {
		Connection::expect( 'https://laurel.example', 1000 );
		same( 'laurel_other_server', Connection::accept( told( array( 'server' => 'https://evil.example' ) ), 7, 1000 ) );
		same( 'laurel_not_understood', Connection::accept( told( array( 'webhook_address' => 'https://evil.example/webhooks/x' ) ), 7, 1000 ) );
		same( 'laurel_not_understood', Connection::accept( told( array( 'webhook_address' => 'https://laurel.example.evil.example/webhooks/x' ) ), 7, 1000 ) );
		same( '', Connection::secret( 'widget' ) );
	},
	'an introduction that lacks something changes nothing'    => static function () {
		Connection::expect( 'https://laurel.example', 1000 );
		foreach ( array_keys( told() ) as $name ) {
			same( 'laurel_not_understood', Connection::accept( told( array( $name => null ) ), 7, 1000 ) );
		}
		foreach ( array( 'shop_key' => '../x', 'widget_secret' => 'short', 'webhook_secret' => '' ) as $name => $value ) {
			same( 'laurel_not_understood', Connection::accept( told( array( $name => $value ) ), 7, 1000 ) );
		}
		same( false, Connection::is_connected() );
	},
	'secrets are kept apart and loaded only when asked for'   => static function () {
		connect();
		same( 'a-widget-secret-long-enough', Connection::secret( 'widget' ) );
		same( false, World::$autoload['laurel_loyalty_secrets'] );
		same( false, strpos( serialize( World::$options['laurel_loyalty'] ), 'secret-long' ) );
		same( array( 'fern', 7, 1060 ), array( Connection::facts()['shop_key'], Connection::facts()['key_id'], Connection::facts()['connected_at'] ) );
	},
	'told again, new secrets count and the beginning stays'   => static function () {
		connect();
		same( '', Connection::accept( told( array( 'widget_secret' => 'another-secret-of-that-kind' ) ), 8, 2000 ) );
		same( 'another-secret-of-that-kind', Connection::secret( 'widget' ) );
		same( array( 1060, 2000, 8 ), array( Connection::facts()['connected_at'], Connection::facts()['seen_at'], Connection::facts()['key_id'] ) );
	},
	'naming another server forgets what the old one gave'     => static function () {
		connect();
		Connection::expect( 'https://other.example', 3000 );
		same( array( false, '' ), array( Connection::is_connected(), Connection::secret( 'webhook' ) ) );
		connect();
		Connection::expect( 'https://laurel.example', 4000 );
		same( true, Connection::is_connected() );
	},
	'a replaced key is let in for an hour, then revoked'      => static function () {
		connect();
		$ours        = 'Laurel - API (2026-11-22 16:08:16)';
		World::$keys = array_fill_keys( array( 7, 8, 9 ), $ours );
		same( '', Connection::accept( told(), 8, 2000 ) );
		same( '', Connection::accept( told(), 8, 2100 ) ); // the daily introduction replaces nothing.
		Connection::revoke_former( 2000 + 3599 );
		same( array( 7, 8, 9 ), array_keys( World::$keys ) );
		Connection::revoke_former( 2000 + 3600 );
		same( array( 8, 9 ), array_keys( World::$keys ) );
		same( array(), Connection::facts()['former_keys'] );
		same( '', Connection::accept( told(), 9, 9000 ) );
		same( '', Connection::accept( told(), 8, 9001 ) ); // back again: it is in use, and the other goes.
		Connection::revoke_former( 99999 );
		same( array( 8 ), array_keys( World::$keys ) );
		World::$keys = array_fill_keys( array( 8, 9 ), $ours );
		same( '', Connection::accept( told(), 9, 1 ) );
		Sender::watch(); // the hourly look does it.
		same( array( 9 ), array_keys( World::$keys ) );
		World::$keys = array( 9 => 'Our book-keeping' ); // made by hand, and given to Laurel as well.
		same( '', Connection::accept( told(), 10, 1 ) );
		Sender::watch();
		same( array( 9 ), array_keys( World::$keys ) );
	},
	'a key that somebody removed is missed'                   => static function () {
		connect();
		World::$keys = array( 7 => 'Laurel' );
		same( true, Connection::has_key() );
		Connection::revoke( 7 );
		same( false, Connection::has_key() );
	},
	'who did not agree is not waited for'                     => static function () {
		Connection::expect( 'https://laurel.example', 1000 );
		Connection::declined();
		same( array( 'https://laurel.example', 0 ), array( Connection::facts()['server'], Connection::facts()['expected_at'] ) );
	},
	'all that waits is sent and goes'                         => static function () {
		connect();
		wait_in_outbox( 1, 404, 2 );
		World::$answers = array( 200, 202 );
		Sender::run();
		same( array(), Outbox::$rows );
		same( 2, Outbox::$state['sent'] );
		same( 'https://laurel.example/webhooks/woocommerce/fern', World::$posts[0]['url'] );
		same( 0, World::$posts[0]['redirection'] );
		same( true, World::$posts[0]['timeout'] <= 5 );
	},
	'a server that is down is tried once and left alone'      => static function () {
		foreach ( array( null, 503, 429, 401, 404, 302 ) as $answer ) {
			World::begin();
			connect();
			wait_in_outbox( 1, 2, 3 );
			World::$answers = array( $answer, 200, 200 );
			Sender::run();
			same( 1, count( World::$posts ) );
			same( array( 3, 1, 0 ), array( count( Outbox::$rows ), Outbox::$rows[0]->attempts, Outbox::$rows[1]->attempts ) );
			same( true, World::$scheduled[0] >= time() + 55 );
			Sender::run();
			same( 1, count( World::$posts ) );
		}
	},
	'each change is a message of its own, sent again as the same' => static function () {
		connect();
		$names = array();
		foreach ( array( 1, 1, 2 ) as $changes ) {
			wait_in_outbox( 5 );
			Outbox::$rows[0]->changes = $changes;
			World::$answers           = array( 200 );
			Sender::run();
			$names[] = end( World::$posts )['headers']['X-WC-Webhook-Delivery-ID'];
		}
		same( true, $names[0] === $names[1] && $names[1] !== $names[2] );
	},
	'a server that is back makes everything due'              => static function () {
		connect();
		wait_in_outbox( 1, 2 );
		Outbox::$state['down_until'] = time() - 1;
		World::$answers              = array( 200, 200 );
		Sender::run();
		same( array( true, 0, 2 ), array( Outbox::$state['again'] ?? false, Outbox::$state['down_until'], Outbox::$state['sent'] ) );
	},
	'a message that is refused holds up no other'             => static function () {
		connect();
		wait_in_outbox( 1, 2 );
		World::$answers = array( 413, 200 );
		Sender::run();
		same( array( 1 ), array_column( Outbox::$rows, 'ref' ) );
		same( 0, Outbox::$state['down_until'] );
	},
	'without a connection nothing is sent'                    => static function () {
		wait_in_outbox( 1 );
		Sender::run();
		same( array( 0, 1 ), array( count( World::$posts ), count( Outbox::$rows ) ) );
	},
	'one run is enough for what is due'                       => static function () {
		connect();
		wait_in_outbox( 1 );
		Sender::schedule();
		Sender::schedule();
		same( 1, count( World::$scheduled ) );
		World::$scheduled = array( time() + 3600 ); // one that waits for a server that was down.
		Sender::schedule();
		same( 2, count( World::$scheduled ) );
	},
	'who is asked for is exported page by page'               => static function () {
		connect();
		World::$users   = array( 'ada@mail.test' => 41 );
		$history        = static fn( $id, $next ) => array(
			'items' => array( array( 'id' => $id, 'at' => '2026-11-22T12:00:00Z', 'title' => 'Order 1', 'points_text' => '+40 points', 'sentence' => 'Why.' ) ),
			'next'  => $next,
		);
		$me             = array( 'member' => array( 'balance' => array( 'available_text' => '40 points' ), 'tier' => array( 'name' => 'Gold' ) ) );
		World::$answers = array( $me, $history( 'e2', 'e2-o0-a0' ), $history( 'e1', null ) );
		$first          = Privacy::export( 'ada@mail.test', 1 );
		same( false, $first['done'] );
		same( array( '40 points', 'Gold', '+40 points' ), array( $first['data'][0]['data'][0]['value'], $first['data'][0]['data'][1]['value'], $first['data'][1]['data'][2]['value'] ) );
		$second = Privacy::export( 'ada@mail.test', 2 );
		same( array( true, 'laurel-loyalty-e1' ), array( $second['done'], $second['data'][0]['item_id'] ) );
		same( 'https://laurel.example/storefront/v1/history?key=fern&cursor=e2-o0-a0', World::$asked[2]['url'] );
		same( 0, strpos( World::$asked[0]['headers']['Authorization'], 'Bearer ey' ) );
		same( array(), World::$transients );
	},
	'whom we do not know has nothing to export'               => static function () {
		connect();
		World::$users   = array( 'ada@mail.test' => 41 );
		World::$answers = array( array( 'member' => null ) );
		same( array( 'data' => array(), 'done' => true ), Privacy::export( 'ada@mail.test', 1 ) );
		same( array( 'data' => array(), 'done' => true ), Privacy::export( 'guest@mail.test', 1 ) );
		same( 1, count( World::$asked ) );
	},
	'an export that lacks something says so'                  => static function () {
		connect();
		World::$users = array( 'ada@mail.test' => 41 );
		foreach ( array( null, 503, 200 ) as $answer ) {
			World::$answers = array( $answer );
			same( 'laurel_no_answer', Privacy::export( 'ada@mail.test', 1 )->get_error_code() );
		}
	},
	'who is to be forgotten is told, a guest by the address'  => static function () {
		connect();
		World::$users   = array( 'ada@mail.test' => 41 );
		World::$answers = array( 200, 200 );
		same( array( true, false ), array( Privacy::erase( 'ada@mail.test' )['items_removed'], Privacy::erase( 'guest@mail.test' )['items_retained'] ) );
		same( '{"wish":"forget","customer_id":41,"email":"ada@mail.test"}', World::$posts[0]['body'] );
		same( '{"wish":"forget","customer_id":null,"email":"guest@mail.test"}', World::$posts[1]['body'] );
		same( 'laurel.erasure_requested', World::$posts[0]['headers']['X-WC-Webhook-Topic'] );
	},
	'an erasure that Laurel did not hear is not said to be done' => static function () {
		connect();
		World::$answers = array( 503 );
		$answer         = Privacy::erase( 'ada@mail.test' );
		same( array( false, true, 1, true ), array( $answer['items_removed'], $answer['items_retained'], count( $answer['messages'] ), $answer['done'] ) );
	},
	'amounts are in the smallest units of their currency'     => static function () {
		same( array( '1099', '0', '909', '2' ), array_map( static fn( $amount ) => Lines::minor( $amount, 'USD' ), array( 10.99, -1.0, 9.0909, 0.015 ) ) );
		same( '1650', Lines::minor( 1650.0, 'JPY' ) );
		World::$decimals = 3;
		same( '1234', Lines::minor( 1.2341, 'KWD' ) );
		World::$decimals = 0;
		same( '1100', Lines::minor( 10.99, 'EUR' ) );
	},
);

$failed = 0;
foreach ( $tests as $name => $test ) {
	World::begin();
	try {
		$test();
		echo "ok: $name\n";
	} catch ( \Throwable $error ) {
		++$failed;
		echo "FAILED: $name: {$error->getMessage()} ({$error->getLine()})\n";
	}
}
exit( $failed ? 1 : 0 );
