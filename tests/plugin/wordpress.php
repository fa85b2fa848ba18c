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
	/** @var int */
	public static $decimals = 2;

	public static function begin(): void {
		self::$options   = array();
		self::$autoload  = array();
		self::$scheduled = array();
		self::$posts     = array();
		self::$answers   = array();
		self::$decimals  = 2;
	}
}

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
function wp_remote_retrieve_response_code( $answer ) {
	return $answer['response']['code'];
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
