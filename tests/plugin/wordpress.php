<?php
/**
 * As much of WordPress and of its queue as the plugin's plain parts need. The rest is tried on a real shop.
 */

define( 'ABSPATH', __DIR__ . '/' );
define( 'MINUTE_IN_SECONDS', 60 );
define( 'HOUR_IN_SECONDS', 3600 );
define( 'DAY_IN_SECONDS', 86400 );

/** The state of this small WordPress. */
final class World {
	/** @var array<string, mixed> */
	public static $options = array();
	/** @var array<string, mixed> */
	public static $autoload = array();
	/** @var array<int, int> When the plugin's next runs are. */
	public static $scheduled = array();
	/** @var array<int, array<string, mixed>> */
	public static $posts = array();
	/** @var array<int, mixed> Answers to the posts, in turn. */
	public static $answers = array();
	/** @var array<int, array<string, mixed>> What was asked for by GET. */
	public static $asked = array();
	/** @var array<string, int> Ids of users by their addresses. */
	public static $users = array();
	/** @var array<string, mixed> */
	public static $transients = array();
	/** @var array<int, string> Keys of the REST API: what they are for, by their ids. */
	public static $keys = array();
	/** @var int */
	public static $decimals = 2;
	/** @var string What another plugin shows at the moment. */
	public static $currency = 'USD';
	/** @var array<string, mixed> Of the one coupon: what is kept with it, by no filter. */
	public static $meta = array();

	public static function begin(): void {
		self::$options   = array();
		self::$autoload  = array();
		self::$scheduled = array();
		self::$posts     = array();
		self::$answers   = array();
		self::$decimals  = 2;
		self::$currency  = 'USD';
		self::$meta      = array();
		self::$keys      = array();
		self::$asked      = array();
		self::$users      = array();
		self::$transients = array();
	}
}

/** As much of the database as keys need. */
final class Keys_Table {
	public $prefix = 'wp_';
	public function prepare( $query, ...$values ) {
		return $values;
	}
	public function esc_like( $text ) {
		return addcslashes( $text, '_%\\' );
	}
	public function get_var( $values ) {
		return isset( World::$keys[ $values[0] ] ) ? '1' : '0';
	}
	/** The one statement that there is: a key by its id and the beginning of what it is for. */
	public function query( $values ) {
		if ( 0 === strpos( World::$keys[ $values[0] ] ?? '', rtrim( $values[1], '%' ) ) ) {
			unset( World::$keys[ $values[0] ] );
		}
	}
	public function delete( $table, $where, $formats ) {
		unset( World::$keys[ $where['key_id'] ] );
	}
}
$GLOBALS['wpdb'] = new Keys_Table();

class WP_Error {
	private $code;
	private $message;
	public function __construct( $code = '', $message = '', $data = null ) {
		$this->code    = $code;
		$this->message = $message;
	}
	public function get_error_code() {
		return $this->code;
	}
	public function get_error_message() {
		return $this->message;
	}
}

function get_option( $name, $otherwise = false ) {
	return array_key_exists( $name, World::$options ) ? World::$options[ $name ] : $otherwise;
}
function update_option( $name, $value, $autoload = null ) {
	World::$options[ $name ]  = $value;
	World::$autoload[ $name ] = $autoload;
	return true;
}
function delete_option( $name ) {
	unset( World::$options[ $name ] );
	return true;
}
function get_post_meta( $id, $name, $single ) {
	return World::$meta[ $name ] ?? '';
}
function get_woocommerce_currency() {
	return World::$currency;
}
function esc_html( $text ) {
	return htmlspecialchars( $text, ENT_QUOTES );
}
function esc_html__( $text, $domain ) {
	return esc_html( $text );
}
function wp_json_encode( $value ) {
	return json_encode( $value );
}
function wp_parse_url( $url ) {
	return parse_url( $url );
}
function is_wp_error( $value ) {
	return $value instanceof WP_Error;
}
function __( $text, $domain ) {
	return $text;
}
function home_url( $path = '' ) {
	return 'https://shop.example' . $path;
}
function add_action() {
}
function add_filter() {
}
function wc_get_price_decimals() {
	return World::$decimals;
}
function wp_safe_remote_post( $url, $options ) {
	World::$posts[] = array( 'url' => $url ) + $options;
	$answer         = array_shift( World::$answers );
	return is_int( $answer ) ? array( 'response' => array( 'code' => $answer ) ) : new WP_Error( 'http_request_failed', 'cURL error 28: timed out' );
}
/** The answer is a status, or what a 200 says. */
function wp_safe_remote_get( $url, $options ) {
	World::$asked[] = array( 'url' => $url ) + $options;
	$answer         = array_shift( World::$answers );
	if ( null === $answer ) {
		return new WP_Error( 'http_request_failed', 'cURL error 28: timed out' );
	}
	$body = is_array( $answer ) ? (string) json_encode( $answer ) : 'no JSON';
	return array( 'response' => array( 'code' => is_int( $answer ) ? $answer : 200 ), 'body' => $body );
}
function wp_remote_retrieve_body( $answer ) {
	return $answer['body'];
}
function get_user_by( $field, $value ) {
	return isset( World::$users[ $value ] ) ? (object) array( 'ID' => World::$users[ $value ] ) : false;
}
function get_transient( $name ) {
	return World::$transients[ $name ] ?? false;
}
function set_transient( $name, $value, $seconds ) {
	World::$transients[ $name ] = $value;
	return true;
}
function delete_transient( $name ) {
	unset( World::$transients[ $name ] );
	return true;
}
function wp_generate_uuid4() {
	return 'an-id';
}
function wp_remote_retrieve_response_code( $answer ) {
	return $answer['response']['code'];
}
/** A coupon as it is loaded: its amounts after the filters of other plugins. */
final class WC_Coupon {
	private $kind;
	private $amount;
	private $minimum;
	public function __construct( $kind, $amount, $minimum = '' ) {
		list( $this->kind, $this->amount, $this->minimum ) = array( $kind, $amount, $minimum );
	}
	public function get_id() {
		return 33;
	}
	public function get_meta( $name ) {
		return World::$meta[ $name ] ?? '';
	}
	public function is_type( $kind ) {
		return $kind === $this->kind;
	}
	public function get_amount() {
		return $this->amount;
	}
	public function get_minimum_amount() {
		return $this->minimum;
	}
}
/** An order, and at the same time what looks at its coupons. */
final class WC_Order {
	private $currency;
	public function __construct( $currency ) {
		$this->currency = $currency;
	}
	public function get_currency() {
		return $this->currency;
	}
	public function get_object() {
		return $this;
	}
}
/** A waiting run, as Action Scheduler hands it out. */
final class Waiting_Run {
	private $at;
	public function __construct( int $at ) {
		$this->at = $at;
	}
	public function get_schedule() {
		return $this;
	}
	public function get_date() {
		return new DateTime( '@' . $this->at );
	}
}
function as_get_scheduled_actions( $wish ) {
	sort( World::$scheduled );
	return array_map( static fn( $at ) => new Waiting_Run( $at ), array_slice( World::$scheduled, 0, $wish['per_page'] ) );
}
function as_schedule_single_action( $at, $hook ) {
	World::$scheduled[] = $at;
}
