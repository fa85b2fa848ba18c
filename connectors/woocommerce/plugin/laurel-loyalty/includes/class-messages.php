<?php
/**
 * What an order or a coupon is now, in the words of WooCommerce's own webhooks.
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

use WC_Order;
use WC_REST_Orders_Controller;
use WP_REST_Request;

defined( 'ABSPATH' ) || exit;

/**
 * Made when it is sent, not when it changed: what matters is how things stand.
 */
final class Messages {

	/**
	 * Statuses of what is no order yet.
	 */
	const DRAFTS = array( 'checkout-draft', 'auto-draft' );

	/**
	 * Fields that Laurel has no use for: they stay in the shop.
	 */
	const PRIVATE_FIELDS = array( 'order_key', 'payment_url', 'customer_ip_address', 'customer_user_agent', 'customer_note', 'transaction_id', 'shipping', 'cart_hash', 'meta_data', 'payment_method', 'payment_method_title' );

	/**
	 * Topic and body; null where there is nothing to tell.
	 *
	 * @param string $kind "order" or "coupon".
	 * @param int    $ref  Its id.
	 * @return array{0:string, 1:array<string, mixed>}|null
	 */
	public static function of( string $kind, int $ref ): ?array {
		return 'coupon' === $kind ? self::of_coupon( $ref ) : self::of_order( $ref );
	}

	/**
	 * An order that is gone or in the trash is told by its id alone, as WooCommerce does; Laurel then asks for it.
	 *
	 * @param int $ref Its id.
	 * @return array{0:string, 1:array<string, mixed>}|null
	 */
	private static function of_order( int $ref ): ?array {
		$order = wc_get_order( $ref );
		if ( ! $order || 'trash' === $order->get_status() ) {
			return array( 'order.deleted', array( 'id' => $ref ) );
		}
		if ( ! $order instanceof WC_Order || 'shop_order' !== $order->get_type() ) {
			return null;
		}
		if ( in_array( $order->get_status(), self::DRAFTS, true ) ) {
			return null;
		}
		return array( 'order.updated', self::body( $order ) );
	}

	/**
	 * As GET wc/v3/orders/<id> answers, less what is nobody's business.
	 *
	 * @param WC_Order $order The order.
	 * @return array<string, mixed>
	 */
	private static function body( WC_Order $order ): array {
		$request = new WP_REST_Request( 'GET', '/wc/v3/orders/' . $order->get_id() );
		$request->set_param( 'context', 'view' );
		$body = ( new WC_REST_Orders_Controller() )->prepare_object_for_response( $order, $request )->get_data();
		$body = array_diff_key( $body, array_flip( self::PRIVATE_FIELDS ) );
		// A guest's address is how a later member proves that the order is theirs.
		$body['billing'] = array( 'email' => isset( $body['billing']['email'] ) ? $body['billing']['email'] : '' );
		return $body;
	}

	/**
	 * A coupon that can be used needs no message: it is read at the shop when it matters.
	 *
	 * @param int $ref Its id.
	 * @return array{0:string, 1:array<string, mixed>}|null
	 */
	private static function of_coupon( int $ref ): ?array {
		$status = get_post_status( $ref );
		if ( false === $status || 'trash' === $status ) {
			return array( 'coupon.deleted', array( 'id' => $ref ) );
		}
		if ( 'publish' === $status ) {
			return null;
		}
		return array(
			'coupon.updated',
			array(
				'id'     => $ref,
				'code'   => (string) get_the_title( $ref ),
				'status' => $status,
			),
		);
	}
}
