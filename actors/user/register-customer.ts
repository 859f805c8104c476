/** Registers whoever orders with a customer number. */
import { reaction } from 'troupe';
import { order } from '../order/order.js';
import { user } from './user.js';

export const registerCustomer = reaction({
  name: 'register-customer',
  of: [order],
  on: {
    'order.created': (event, ctx) => {
      const { customerId, country } = event.data;
      if (customerId !== null) ctx.tell(user, customerId, 'register', { country });
    },
  },
});
