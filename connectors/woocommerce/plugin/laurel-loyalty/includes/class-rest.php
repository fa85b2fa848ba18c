<?php
/**
 * The two addresses that we add to the shop.
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

use WP_Error;
use WP_REST_Request;
use WP_REST_Response;

defined( 'ABSPATH' ) || exit;

/**
 * PUT wc-laurel/v1/connection   Laurel introduces itself, with a key of the shop's REST API
 * POST laurel/v1/token          a signed-in shopper's token, for the session and nonce of WordPress
 */
final class Rest {

	/**
	 * Hooks.
	 */
	public static function start(): void {
		add_action( 'rest_api_init', array( self::class, 'routes' ) );
	}

	/**
	 * WooCommerce lets its API keys in at addresses that begin with `wc-`.
	 */
	public static function routes(): void {
		register_rest_route(
			'wc-laurel/v1',
			'/connection',
			array(
				'methods'             => 'PUT',
				'callback'            => array( self::class, 'connection' ),
				'permission_callback' => array( self::class, 'may_introduce' ),
			)
		);
		register_rest_route(
			'laurel/v1',
			'/token',
			array(
				'methods'             => 'POST', // which no cache keeps.
				'callback'            => array( self::class, 'token' ),
				'permission_callback' => 'is_user_logged_in',
			)
		);
	}

	/**
	 * A key that may write, of somebody who manages the shop. A signed-in browser is no Laurel.
	 *
	 * @return bool|WP_Error
	 */
	public static function may_introduce() {
		if ( current_user_can( 'manage_woocommerce' ) && self::key_id() > 0 ) {
			return true;
		}
		return new WP_Error( 'laurel_needs_a_key', 'This address asks for a REST API key of the shop that may read and write.', array( 'status' => 401 ) );
	}

	/**
	 * Laurel says who it is and what we sign with.
	 *
	 * @param WP_REST_Request $request With a JSON body.
	 * @return WP_REST_Response|WP_Error
	 */
	public static function connection( WP_REST_Request $request ) {
		$told = $request->get_json_params();
		$why  = Connection::accept( is_array( $told ) ? $told : array(), self::key_id(), time() );
		if ( '' === $why ) {
			Sender::wake();
			return self::private_answer( array( 'version' => VERSION ) );
		}
		$texts = array(
			'laurel_not_expected'   => 'Nobody named a Laurel server here yet.',
			'laurel_other_server'   => 'This shop is connected to another Laurel server.',
			'laurel_not_understood' => 'The introduction is not complete.',
		);
		return new WP_Error( $why, $texts[ $why ], array( 'status' => 'laurel_not_understood' === $why ? 400 : 409 ) );
	}

	/**
	 * Who the shopper is, for some minutes.
	 *
	 * @return WP_REST_Response|WP_Error
	 */
	public static function token() {
		$secret = Connection::secret( 'widget' );
		if ( '' === $secret ) {
			return new WP_Error( 'laurel_not_connected', 'This shop is not connected to Laurel.', array( 'status' => 404 ) );
		}
		return self::private_answer(
			array(
				'token'      => Token::make( get_current_user_id(), $secret, time() ),
				'expires_in' => Token::SECONDS,
			)
		);
	}

	/**
	 * An answer that nothing on its way may keep.
	 *
	 * @param array<string, mixed> $data The body.
	 */
	private static function private_answer( array $data ): WP_REST_Response {
		$response = new WP_REST_Response( $data );
		$response->header( 'Cache-Control', 'no-store, private' );
		$response->header( 'Vary', 'Cookie, Authorization' );
		return $response;
	}

	/**
	 * The REST API key that the request came with; 0 without one. WooCommerce has checked it by now.
	 */
	private static function key_id(): int {
		global $wpdb;
		$key = '';
		// phpcs:disable WordPress.Security.NonceVerification.Recommended -- a key proves more than a nonce.
		foreach ( array( 'oauth_consumer_key', 'consumer_key' ) as $name ) {
			if ( '' === $key && isset( $_GET[ $name ] ) ) {
				$key = sanitize_text_field( wp_unslash( $_GET[ $name ] ) );
			}
		}
		// phpcs:enable
		if ( '' === $key && isset( $_SERVER['PHP_AUTH_USER'] ) ) {
			$key = sanitize_text_field( wp_unslash( $_SERVER['PHP_AUTH_USER'] ) );
		}
		if ( 0 !== strpos( $key, 'ck_' ) ) {
			return 0;
		}
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- WooCommerce has no function that looks a key up.
		$found = $wpdb->get_row( $wpdb->prepare( "SELECT key_id, user_id FROM {$wpdb->prefix}woocommerce_api_keys WHERE consumer_key = %s", wc_api_hash( $key ) ) );
		return $found && get_current_user_id() === (int) $found->user_id ? (int) $found->key_id : 0;
	}
}
